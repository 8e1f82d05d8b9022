//! Bodies: what is accepted, and what is said of those that cannot be.

use serde_json::{Value, json};

use super::harness::{answer, ndjson, send_chunk, start};

const ROW: &str = r#"{"工号":"E1","课程编号":"C-7","分数":"85","完成时间":"2026-11-20 09:30:00"}"#;

/// The counts of an answer.
fn counts(body: &Value) -> (u64, u64, usize) {
    let ids = body["result_ids"].as_array().map_or(0, Vec::len);
    (body["accepted"].as_u64().unwrap(), body["unreadable"].as_u64().unwrap(), ids)
}

#[tokio::test]
async fn every_format_is_accepted() {
    let running = start("").await;
    let xml = "<r><row><工号>E1</工号><课程编号>C-7</课程编号></row><row><工号>E2</工号><课程编号>C-7</课程编号></row></r>";
    for (content_type, body, expected) in [
        ("application/json", ROW.to_owned(), (1, 0, 1)),
        ("application/json; charset=utf-8", format!("[{ROW},{ROW}]"), (2, 0, 2)),
        ("application/json", "[]".to_owned(), (0, 0, 0)),
        ("application/x-ndjson", ndjson(3), (3, 0, 3)),
        ("text/xml", xml.to_owned(), (2, 0, 2)),
        ("text/csv", "工号,课程编号\nE1,C-7\nE2,C-7\n".to_owned(), (2, 0, 2)),
        ("text/csv", "工号,课程编号\n".to_owned(), (0, 0, 0)),
    ] {
        let accepted = running.send(content_type, &body).await;
        assert_eq!(accepted.status, 202, "{body}: {accepted:?}");
        assert_eq!(counts(&accepted.body), expected, "{body}: {accepted:?}");
    }
    let exported = running.exported();
    assert!(
        exported.contains(r#"scoresync_http_requests_total{route="/v1/sources/{source}/reports",status="202"} 7"#),
        "{exported}"
    );
}

#[tokio::test]
async fn the_same_result_has_the_same_id_in_every_format() {
    let running = start("").await;
    let ids = async |content_type, body: &[u8]| running.send(content_type, body).await.body["result_ids"].clone();
    let expected = ids("application/json", ROW.as_bytes()).await;
    assert_eq!(ids("text/csv", "工号,课程编号\nE1,C-7\n".as_bytes()).await, expected);
    let gbk = b"\xb9\xa4\xba\xc5,\xbf\xce\xb3\xcc\xb1\xe0\xba\xc5\nE1,C-7\n";
    assert_eq!(ids("text/csv; charset=gbk", gbk).await, expected);
    assert_eq!(expected.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_accepted_and_told() {
    let running = start("").await;
    let accepted = running
        .send("application/x-ndjson", format!("{ROW}\n\n{{\"工号\": secret}}\n{ROW}"))
        .await;
    assert_eq!((accepted.status, counts(&accepted.body)), (202, (3, 1, 2)), "{accepted:?}");
    let unreadable = &accepted.body["unreadable_rows"][0];
    assert_eq!((&unreadable["row"], &unreadable["line"]), (&json!(2), &json!(3)), "{accepted:?}");
    assert!(unreadable["problem"].as_str().unwrap().len() > 10, "{accepted:?}");
    assert!(!accepted.body.to_string().contains("secret"), "{accepted:?}");
}

#[tokio::test]
async fn an_answer_lists_the_first_ids_and_the_first_unreadable_rows() {
    let running = start("").await;
    let body = format!("{}{}", ndjson(150), "no json\n".repeat(30));
    let accepted = running.send("application/x-ndjson", body).await;
    assert_eq!(counts(&accepted.body), (180, 30, 100), "{accepted:?}");
    assert_eq!(accepted.body["unreadable_rows"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_broken_body_is_refused_at_its_place_with_what_was_accepted_before() {
    let running = start("").await;
    for (content_type, body, line, column, accepted) in [
        ("application/json", format!("[\n{ROW},\n  {{\"分数\" 85}}]"), 3, 9, 1),
        ("application/json", "[1,".to_owned(), 1, 4, 1),
        ("application/json", "scores".to_owned(), 1, 1, 0),
        ("application/xml", "<r>\n<row><a>1</a></row>\n<row></r>".to_owned(), 3, 6, 1),
        ("application/json", String::new(), 1, 1, 0),
        ("application/x-ndjson", String::new(), 1, 1, 0),
        ("text/csv", String::new(), 1, 1, 0),
    ] {
        let refused = running.send(content_type, &body).await;
        refused.is_problem(400, "malformed-body");
        let place = (&refused.body["line"], &refused.body["column"], &refused.body["accepted"]);
        assert_eq!(place, (&json!(line), &json!(column), &json!(accepted)), "{body}: {refused:?}");
        assert!(refused.body["message"].as_str().unwrap().len() > 10, "{refused:?}");
    }
}

#[tokio::test]
async fn a_large_body_is_accepted_row_by_row() {
    let running = start("max_rows_in_flight = 16").await;
    let rows = 20_000;
    let accepted = running.send("application/x-ndjson", ndjson(rows)).await;
    assert_eq!(
        (accepted.status, counts(&accepted.body)),
        (202, (rows as u64, 0, 100)),
        "{accepted:?}"
    );
    let received = format!(r#"scoresync_reports_received_total{{format="application/x-ndjson",source="academy"}} {rows}"#);
    assert!(running.exported().contains(&received), "{}", running.exported());
}

#[tokio::test]
async fn a_large_body_that_breaks_is_refused_where_it_breaks() {
    let running = start("").await;
    let rows: Vec<_> = ndjson(5_000).lines().map(str::to_owned).collect();
    let refused = running
        .send("application/json", format!("[{}\n,x{}]", rows.join("\n,"), " ".repeat(200_000)))
        .await;
    refused.is_problem(400, "malformed-body");
    assert_eq!(
        (&refused.body["line"], &refused.body["accepted"]),
        (&json!(5_001), &json!(5_000)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_body_of_json_has_a_limit_even_if_it_does_not_state_its_size() {
    let running = start("max_body_mib = 1").await;
    let mut stream = running.open_chunked("application/json").await;
    send_chunk(&mut stream, b"[{}").await.unwrap();
    let blanks = vec![b' '; 256 * 1024];
    // The refusal may come, and the connection end, while this is still being sent.
    for _ in 0..5 {
        let _ = send_chunk(&mut stream, &blanks).await;
    }
    let refused = answer(&mut stream).await;
    refused.is_problem(413, "too-large");
    assert_eq!(refused.body["accepted"], 1);
    let unlimited = running.send("application/x-ndjson", vec![b'\n'; 2 * 1024 * 1024]).await;
    assert_eq!((unlimited.status, counts(&unlimited.body)), (202, (0, 0, 0)));
}

#[tokio::test]
async fn a_row_and_the_number_of_rows_have_limits() {
    let running = start("max_row_kib = 1\nmax_rows = 2").await;
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2_000));
    for (content_type, body, line, accepted) in [
        ("application/x-ndjson", format!("{ROW}\n{long}\n{ROW}"), 2, 1),
        ("application/json", format!("[{ROW},\n{ROW},\n{long}]"), 3, 2),
        ("application/xml", format!("<r>\n<row><a>{}</a></row></r>", "x".repeat(2_000)), 2, 0),
        ("text/csv", format!("a\n1\n{}\n", "x".repeat(2_000)), 3, 1),
    ] {
        let refused = running.send(content_type, body).await;
        refused.is_problem(413, "too-large");
        let told = (&refused.body["line"], &refused.body["accepted"]);
        assert_eq!(told, (&json!(line), &json!(accepted)), "{content_type}: {refused:?}");
    }
    let refused = running.send("application/x-ndjson", ndjson(3)).await;
    refused.is_problem(413, "too-large");
    assert_eq!(
        (&refused.body["max_rows"], &refused.body["accepted"]),
        (&json!(2), &json!(2)),
        "{refused:?}"
    );
    assert_eq!(running.send("application/x-ndjson", ndjson(2)).await.status, 202);
}
