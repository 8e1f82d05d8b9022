//! Invented names: mostly Chinese, some others, and some that are hard on software.

/// Surnames.
pub(super) const SURNAMES: [&str; 20] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "欧阳", "司马",
];

/// Given names.
pub(super) const GIVEN_NAMES: [&str; 20] = [
    "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "梓涵", "子轩",
];

/// Names from elsewhere, with dots, spaces, commas, quotes and letters that only GB18030's four-byte forms have.
pub(super) const OTHER_NAMES: [&str; 10] = [
    "阿依古丽·买买提",
    "Aylin Kaya",
    "María-José García",
    "Nguyễn Văn An",
    "Олег Иванов",
    "O'Brien, Siobhán",
    "Anna \"Ann\" Müller",
    "𠮷田 太郎",
    "迪丽热巴·艾合买提",
    "Jean-Luc d'Été",
];

/// Departments.
pub(super) const DEPARTMENTS: [&str; 6] = ["生产一部", "生产二部", "质量部", "物流部", "信息部", "Sales, Europe"];

/// Positions.
pub(super) const POSITIONS: [&str; 5] = ["操作工", "班长", "工程师", "安全员", "Manager"];

/// Courses: id, title.
pub(super) const COURSES: [(&str, &str); 12] = [
    ("C-101", "消防安全"),
    ("C-102", "叉车操作"),
    ("C-103", "安全, 健康与环境"),
    ("C-104", "\"5S\" 现场管理"),
    ("C-105", "Data Protection & Privacy"),
    ("C-106", "危险化学品"),
    ("C-107", "高处作业"),
    ("C-108", "急救"),
    ("C-109", "质量管理 <基础>"),
    ("C-110", "电气安全"),
    ("C-111", "新员工入职"),
    ("C-112", "反舞弊"),
];
