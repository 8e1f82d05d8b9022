//! What holds for every record.

use proptest::prelude::*;

use super::*;

/// Names that the academy maps and values as sources could send them, the worst included.
fn any_fields() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    let names = CHINESE.iter().chain(ENGLISH).map(|(name, _)| (*name).to_owned());
    let name = prop::sample::select(
        names
            .chain(["状态", "版本", "等级", "是否合格", "最低分", "备注"].map(str::to_owned))
            .collect::<Vec<_>>(),
    );
    let usual = CHINESE
        .iter()
        .chain(ENGLISH)
        .map(|(_, value)| (*value).to_owned())
        .collect::<Vec<_>>();
    let value = prop_oneof![
        prop::sample::select(usual).prop_map(Some),
        any::<String>().prop_map(Some),
        "[-+0-9０-９.,:TZ eE年月日分\u{3000}\0作废]{0,24}".prop_map(Some),
        Just(None),
    ];
    prop::collection::vec((name, value), 0..24)
}

fn pushed(fields: &[(String, Option<String>)]) -> ScoreReport<'_> {
    report(fields.iter().map(|(name, value)| (name.as_str(), value.as_deref())))
}

/// With every kind of reading in it.
fn well_read() -> Source {
    let formats = "['%Y年%m月%d日', '%c', 'unix_seconds', '%Y-%m-%d %H:%M:%S', 'rfc3339']";
    let finished = format!("{{ from = ['完成时间', 'finish_timestamp'], formats = {formats} }}");
    let scored = "{ from = ['分数', 'exam_score'], decimal_comma = true, strip = '分' }";
    academy(&[
        STATUS,
        ("fields.revision", "'版本'"),
        ("fields.finish_timestamp", &finished),
        ("fields.exam_score", scored),
    ])
}

proptest! {
    #[test]
    fn no_record_makes_mapping_panic(fields in any_fields()) {
        let (source, report) = (well_read(), pushed(&fields));
        let key = source.result_key(&report.fields);
        match source.map(&report) {
            Ok(mapped) => prop_assert_eq!(key, Ok(mapped.result_id)),
            Err(error) => prop_assert!(key.is_ok() || key == Err(crate::KeyProblem(error))),
        }
    }

    #[test]
    fn the_order_of_fields_does_not_matter((fields, shuffled) in any_fields().prop_flat_map(|fields| (Just(fields.clone()), Just(fields).prop_shuffle()))) {
        let unique = |fields: Vec<(String, Option<String>)>| fields.into_iter().collect::<std::collections::BTreeMap<_, _>>();
        let (source, kept) = (academy(&[]), unique(fields));
        let reordered: Vec<_> = shuffled.iter().filter_map(|(name, _)| kept.get_key_value(name)).collect();
        let mut seen = std::collections::BTreeSet::new();
        let reordered: Vec<_> = reordered.into_iter().filter(|(name, _)| seen.insert(*name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        let in_order: Vec<_> = kept.clone().into_iter().collect();
        let (first, second) = (pushed(&in_order), pushed(&reordered));
        prop_assert_eq!(source.map(&first), source.map(&second));
    }

    #[test]
    fn a_decimal_that_is_shown_is_read_again_the_same(millionths in -999_999_999_999_999_999_i64..1_000_000_000_000_000_000) {
        let written = crate::Score::from_millionths(millionths).unwrap();
        for (settings, text) in [
            (&[][..], written.to_string()),
            (&[("fields.exam_score", "{ from = '分数', decimal_comma = true, strip = '分' }")], format!("{written}分").replace('.', ",")),
        ] {
            let (source, report) = (academy(settings), changed(&[("分数", Text(&text))]));
            prop_assert_eq!(source.map(&report).unwrap().marks.exam_score, Some(written));
        }
    }
}
