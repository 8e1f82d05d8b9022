//! Our names of the fields that a source's record can be mapped to.

use crate::fate::named;

named! {
    /// A field of ours; its name is the key in the configuration and in explanations.
    Field {
        /// The system's own id of the result.
        Result = "result",
        /// Whom the system says the result belongs to; takes part in the key only.
        Learner = "learner",
        /// The employee number.
        EmployeeNo = "employee_no",
        /// A telephone number.
        Phone = "phone",
        /// An e-mail address.
        Email = "email",
        /// An account in the training system.
        Account = "account",
        /// The employee's name as the source writes it.
        EmployeeName = "employee_name",
        /// The course's id in its system.
        CourseId = "course_id",
        /// The course's title.
        CourseTitle = "course_title",
        /// The exam's id in its system.
        ExamId = "exam_id",
        /// The exam's title.
        ExamTitle = "exam_title",
        /// Which attempt of the learner it was.
        Attempt = "attempt",
        /// The score.
        ExamScore = "exam_score",
        /// The least score that the exam gives.
        MinScore = "min_score",
        /// The greatest score that the exam gives.
        MaxScore = "max_score",
        /// A grade in the source's words.
        Grade = "grade",
        /// Whether the learner passed.
        Passed = "passed",
        /// When the learner finished the exam.
        FinishTimestamp = "finish_timestamp",
        /// The source's own statement of which version this is.
        Revision = "revision",
        /// Final, provisional or withdrawn.
        Status = "status",
    }
}

impl From<crate::IdentityKind> for Field {
    fn from(kind: crate::IdentityKind) -> Self {
        match kind {
            crate::IdentityKind::EmployeeNo => Self::EmployeeNo,
            crate::IdentityKind::Phone => Self::Phone,
            crate::IdentityKind::Email => Self::Email,
            crate::IdentityKind::Account => Self::Account,
        }
    }
}
