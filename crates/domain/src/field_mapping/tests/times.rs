//! Points in time.

use super::*;

fn check_time(settings: Settings<'_>, written: &str, expected: &str) {
    let invalid = "invalid_field finish_timestamp 完成时间";
    let expected = if expected.is_empty() { invalid } else { expected };
    check(settings, &[("完成时间", Text(written))], (finished, expected));
}

#[test]
fn times_are_read_in_the_zone_of_the_source_unless_they_name_one() {
    for written in [
        "2026-11-06 20:15:30",
        "2026-11-06T20:15:30",
        "2026/11/6 20:15:30",
        "２０２６-11-06　20：15：30",
        "2026-11-06T12:15:30Z",
    ] {
        check_time(&[], written, "2026-11-06T12:15:30.000Z");
    }
    check_time(&[], "2026-11-06 20:15:30.25", "2026-11-06T12:15:30.250Z");
    check_time(&[], "2026-11-06T20:15:30+09:00", "2026-11-06T11:15:30.000Z");
    check_time(&[], "2026-11-06 20:15", "2026-11-06T12:15:00.000Z");
    for written in [
        "2026-11-06",
        "06.11.2026 20:15",
        "1793996130",
        "2026-11-06 25:00:00",
        "2026-02-30 10:00:00",
        "yesterday",
        "2026-11-06 20:15:30 CST",
    ] {
        check_time(&[], written, "");
    }
    check(
        &[],
        &[("完成时间", Text("-"))],
        (finished, "missing_field finish_timestamp 完成时间, finish_timestamp"),
    );
}

#[test]
fn a_time_without_a_zone_is_invalid_where_the_source_has_none() {
    let no_zone: Settings<'_> = &[("time_zone", "")];
    check_time(no_zone, "2026-11-06 20:15:30", "");
    check_time(no_zone, "2026-11-06T20:15:30+08:00", "2026-11-06T12:15:30.000Z");
    let error = academy(no_zone).map(&changed(&[])).unwrap_err();
    assert!(error.to_string().contains("`time_zone`"), "{error}");
}

#[test]
fn the_first_format_that_fits_counts() {
    let unix: Settings<'_> = &[(
        "fields.finish_timestamp",
        "{ from = '完成时间', formats = ['unix_seconds', 'unix_millis', '%d.%m.%Y', '%Y年%m月%d日 %H：%M'] }",
    )];
    check_time(unix, "1793996130", "2026-11-06T20:15:30.000Z");
    check_time(unix, "1793996130.0", "2026-11-06T20:15:30.000Z");
    check_time(unix, "1793996130250", "2026-11-06T20:15:30.250Z");
    check_time(unix, "06.11.2026", "2026-11-05T16:00:00.000Z");
    check_time(unix, "2026年11月6日 20:15", "2026-11-06T12:15:00.000Z");
    check_time(unix, "1793996130.5", "");
    check_time(unix, "99999999999999999999", "");
    check_time(unix, "2026-11-06 20:15:30", "");
    let offset: Settings<'_> = &[(
        "fields.finish_timestamp",
        "{ from = '完成时间', formats = ['%d.%m.%Y %H:%M %z', '%s'], zone = 'UTC' }",
    )];
    check_time(offset, "06.11.2026 20:15 +0200", "2026-11-06T18:15:00.000Z");
    check_time(offset, "1793996130", "2026-11-06T20:15:30.000Z");
}

#[test]
fn a_local_time_that_clocks_skip_is_invalid_and_one_that_occurs_twice_is_the_earlier() {
    let berlin: Settings<'_> = &[("time_zone", "'Europe/Berlin'")];
    check_time(berlin, "2026-03-29 02:30:00", "");
    check_time(berlin, "2026-03-29 03:30:00", "2026-03-29T01:30:00.000Z");
    check_time(berlin, "2026-10-25 02:30:00", "2026-10-25T00:30:00.000Z");
    check_time(berlin, "2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.000Z");
}

#[test]
fn a_date_alone_is_filed_as_its_first_moment_and_stands_for_the_whole_day() {
    let day = |zone: &str, written: &str, (first, last): (&str, &str)| {
        let format = format!("{{ from = '完成时间', formats = ['%Y-%m-%d', '%Y-%m-%d %z'], zone = '{zone}' }}");
        let settings: Settings<'_> = &[("fields.finish_timestamp", &format)];
        check(settings, &[("完成时间", Text(written))], (finished, first));
        check(settings, &[("完成时间", Text(written))], (finished_until, last));
    };
    day("UTC", "2026-11-06", ("2026-11-06T00:00:00.000Z", "2026-11-06T23:59:59.999Z"));
    day(
        "Asia/Shanghai",
        "2026-11-06",
        ("2026-11-05T16:00:00.000Z", "2026-11-06T15:59:59.999Z"),
    );
    day("UTC", "2026-11-06 +0800", ("2026-11-05T16:00:00.000Z", "2026-11-06T15:59:59.999Z"));
    // 25 hours, and a day whose midnight the clocks skipped.
    day(
        "Europe/Berlin",
        "2026-10-25",
        ("2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z"),
    );
    day(
        "America/Sao_Paulo",
        "2018-11-04",
        ("2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.999Z"),
    );
    let clock: Settings<'_> = &[];
    check(
        clock,
        &[("完成时间", Text("2026-11-06 20:15"))],
        (finished_until, "2026-11-06T12:15:00.000Z"),
    );
}

#[test]
fn impossible_times_are_invalid() {
    check_time(&[], "2026-11-07T21:20:00Z", "2026-11-07T21:20:00.000Z");
    check_time(&[], "2026-11-07T21:20:00.001Z", "");
    check_time(&[], "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z");
    check_time(&[], "1969-12-31T23:59:59.999Z", "");
    check_time(&[], "1970-01-01 00:00:00", "");
    check_time(&[], "0026-11-06 20:15:30", "");
}
