//! The key of a result.

use super::*;

fn key_of(settings: Settings<'_>, changes: &[Change<'_>]) -> ResultId {
    academy(settings).result_key(&changed(changes).fields).unwrap()
}

#[test]
fn one_key_written_in_two_ways_is_one_result() {
    let plain = key_of(&[], &[]);
    for changes in [
        [("工号", Text(" e１001 ")), ("课程编号", Text("Ｃ-7"))],
        [("次数", Text("1.0")), ("考试编号", Text("X-1\u{3000}"))],
        [("分数", Text("abc")), ("完成时间", Absent)],
    ] {
        assert_eq!(key_of(&[], &changes), plain, "{changes:?}");
    }
    for change in [("工号", Text("E1002")), ("课程编号", Text("c-7")), ("次数", Text("2"))] {
        assert_ne!(key_of(&[], &[change]), plain, "{change:?}");
    }
    assert_ne!(key_of(&[("system", "'other'")], &[]), plain);
}

#[test]
fn the_learner_of_the_key_is_normalised_as_the_identity_that_it_is() {
    for phone in [&[("employees_match", "['phone']")][..], &[("fields.learner", "'手机号'")]] {
        let plain = key_of(phone, &[]);
        assert_eq!(key_of(phone, &[("手机号", Text("+86 199 0000 0001"))]), plain);
        assert_eq!(plain, ResultId::from_key("academy", ["+8619900000001", "C-7", "X-1", "1"]));
    }
    let email: Settings<'_> = &[("fields.learner", "'邮箱'")];
    assert_eq!(
        key_of(email, &[("邮箱", Text("Li.Lei@example.com"))]),
        key_of(email, &[("邮箱", Text("li.lei@Example.com"))])
    );
    let own: Settings<'_> = &[("fields.learner", "'学员'")];
    assert_ne!(key_of(own, &[("学员", Text("a1"))]), key_of(own, &[("学员", Text("A1"))]));
    check(own, &[], (score, "missing_field learner 学员"));
}

#[test]
fn a_course_is_one_id_however_its_letters_were_typed() {
    let ids = |mapped: &MappedScore<'_>| format!("{} {}", shown(mapped.course_id.as_deref()), shown(mapped.exam_id.as_deref()));
    check(&[], &[("课程编号", Text("Ｃ-７")), ("考试编号", Text(" Ｘ-1"))], (ids, "C-7 X-1"));
}
