//! Status and revision, and what a withdrawal may lack.

use super::*;

#[test]
fn a_status_is_read_by_its_words_and_final_without_one() {
    for (written, expected) in [
        ("有效", "final"),
        ("暂定", "provisional"),
        ("作废", "withdrawn"),
        ("void", "withdrawn"),
        ("", "final"),
        ("-", "final"),
    ] {
        check(&[STATUS], &[("状态", Text(written))], (status, expected));
    }
    check(&[STATUS], &[], (status, "final"));
    check(&[STATUS], &[("状态", Text("final"))], (status, "invalid_field status 状态"));
    check(&[], &[("状态", Text("作废"))], (status, "final"));
    check(
        &[("fields.status", "'状态'")],
        &[("状态", Text("Withdrawn"))],
        (status, "withdrawn"),
    );
}

#[test]
fn a_report_of_the_media_type_of_withdrawals_is_one_whatever_its_fields_say() {
    let source = academy(&[STATUS, ("key", "['result']"), ("fields.result", "'成绩编号'")]);
    let mut withdrawal = report([("成绩编号", Some("R-1")), ("状态", Some("有效"))]);
    assert_eq!(
        outcome(&source, &withdrawal, status),
        "missing_field employee_no 工号, employee_no, 手机号, phone"
    );
    withdrawal.content_type = crate::WITHDRAWAL.into();
    assert_eq!(outcome(&source, &withdrawal, status), "withdrawn");
}

#[test]
fn a_withdrawal_needs_its_key_alone() {
    let by_result = &[STATUS, ("key", "['result']"), ("fields.result", "'成绩编号'")][..];
    let source = academy(by_result);
    let bare = report([("成绩编号", Some("R-1")), ("状态", Some("作废"))]);
    let mapped = source.map(&bare).unwrap();
    assert_eq!(
        (mapped.status, mapped.course_id.as_deref(), mapped.finished),
        (Status::Withdrawn, None, None)
    );
    assert_eq!(
        outcome(&source, &report([("状态", Some("作废"))]), status),
        "missing_field result 成绩编号"
    );
    assert_eq!(
        outcome(&source, &report([("成绩编号", Some("R-1")), ("状态", Some("暂定"))]), status),
        "missing_field employee_no 工号, employee_no, 手机号, phone"
    );
    check(
        &[STATUS],
        &[("状态", Text("作废")), ("次数", Null)],
        (status, "missing_field attempt 次数, attempt"),
    );
}

#[test]
fn what_a_withdrawal_says_unreadably_is_left_out() {
    let withdrawn = ("状态", Text("作废"));
    check(&[STATUS], &[withdrawn, ("分数", Text("abc"))], (score, "nothing"));
    check(&[STATUS], &[withdrawn, ("分数", Text("70"))], (score, "70"));
    check(&[STATUS], &[withdrawn, ("完成时间", Text("soon"))], (finished, "nothing"));
    check(
        &[STATUS],
        &[withdrawn, ("课程名称", Text("\0"))],
        (|mapped| shown(mapped.course_title), "nothing"),
    );
    check(&[STATUS], &[withdrawn, ("最低分", Text("101"))], (status, "withdrawn"));
    let by_result = &[STATUS, ("key", "['result']"), ("fields.result", "'成绩编号'")][..];
    let damaged = [withdrawn, ("成绩编号", Text("R-1")), ("工号", Text("E1001\0"))];
    check(by_result, &damaged, (|mapped| shown(mapped.identities.phone), "nothing"));
}

#[test]
fn a_revision_is_required_except_of_withdrawals() {
    let (withdrawn, number) = (("状态", Text("作废")), ("fields.revision", "'版本'"));
    let settings = [STATUS, number];
    check(&settings, &[("版本", Text("7"))], (revision, "7"));
    check(&settings, &[("版本", Text("1793996130250"))], (revision, "1793996130250"));
    check(&settings, &[], (revision, "missing_field revision 版本"));
    check(&settings, &[("版本", Text("-1"))], (revision, "invalid_field revision 版本"));
    check(&settings, &[withdrawn], (revision, "nothing"));
    check(&settings, &[withdrawn, ("版本", Text("8"))], (revision, "8"));
    check(
        &settings,
        &[withdrawn, ("版本", Text("v8"))],
        (revision, "invalid_field revision 版本"),
    );
    let time = [STATUS, ("fields.revision", "{ from = '版本', as = 'time' }")];
    check(&time, &[("版本", Text("2026-11-06 20:15:30"))], (revision, "1793967330000"));
    check(
        &time,
        &[("版本", Text("2027-11-06 20:15:30"))],
        (revision, "invalid_field revision 版本"),
    );
}
