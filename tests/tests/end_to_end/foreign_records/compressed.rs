//! A record that a broker takes because it is small when compressed, and that is larger than any topic of scoresync takes as it is.

use anyhow::ensure;
use scoresync_kafka::Topic;

use super::{Letter, PARTITION, TRACEPARENT, all_mapped, balance_once_filed, here, now, scene, start, time_in};
use crate::support::{Bytes, Foreign, STOP, academy};

const BYTES: usize = 4_000_000;
/// How much smaller than what is larger than any letter.
const SIZES: [usize; 7] = [0, 600, 1_200, 1_800, 2_400, 3_000, 4_000];

#[tokio::test(flavor = "multi_thread")]
async fn a_record_too_large_for_a_letter_is_pointed_to_and_the_next_report_goes_on() -> anyhow::Result<()> {
    let begun = now();
    let scene = scene()?;
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::with_compression(&scene, "lz4")?;
    let large = Bytes::new("k", vec![b'x'; BYTES]).with_header("traceparent", TRACEPARENT);
    let endless = Bytes::new(&"k".repeat(100_000), vec![b'x'; BYTES]).with_header("traceparent", &"0".repeat(100_000));
    let offsets = [
        foreign.write((Topic::Raw, PARTITION), &large).await?,
        foreign.write((Topic::Raw, PARTITION), &endless).await?,
    ];
    let good = foreign.encode(&academy::report("X-1", &[])).await?;
    foreign.write((Topic::Raw, PARTITION), &Bytes::new("k", good)).await?;
    all_mapped(&scene).await?;
    let mut letters = foreign.read(Topic::DeadLetters).await?;
    letters.sort_by_key(|letter| letter.record.key.is_none());
    ensure!(letters.len() == offsets.len(), "{} letters", letters.len());
    let rest = [(large.key, Some(TRACEPARENT)), (None, None)];
    for ((letter, offset), (key, traceparent)) in letters.iter().zip(offsets).zip(rest) {
        let first_failed_at = time_in(&letter.record, "scoresync.first_failed_at", begun)?;
        let headers = Letter {
            offset,
            stage: "TRANSFORMATION",
            reason: "too_large",
            message: "the record is larger than the topic of dead letters takes, so this letter has no value; the original is at the topic, \
                      partition and offset of these headers",
            source: "",
            origin: here(offset),
            attempt: "1",
            first_failed_at: &first_failed_at,
            traceparent,
        };
        let headers = headers.headers(&scene);
        assert_eq!(letter.record, Bytes { key, value: None, headers });
    }
    ensure!(scene.topics.enriched().await?.len() == 1, "the next report did not go on");
    ensure!(mapper.stop(STOP)?.success());
    balance_once_filed(&scene).await
}

/// Sizes around the limit of the topic of dead letters. What lz4 cannot make smaller, the broker measures as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_only_its_headers_make_too_large_for_a_letter_holds_nobody_up() -> anyhow::Result<()> {
    let scene = scene()?;
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::with_compression(&scene, "zstd")?;
    let limit = scene.installation.topics.max_message_bytes + 64 * 1024;
    let noise = noise(limit + 512);
    for less in SIZES {
        foreign
            .write((Topic::Raw, PARTITION), &Bytes::new("k", &noise[..noise.len() - less]))
            .await?;
    }
    all_mapped(&scene).await?;
    let letters = foreign.read(Topic::DeadLetters).await?;
    let (whole, pointing): (Vec<_>, Vec<_>) = letters.iter().partition(|letter| letter.record.value.is_some());
    ensure!(
        whole.len() + pointing.len() == SIZES.len() && !whole.is_empty() && !pointing.is_empty(),
        "{}",
        whole.len()
    );
    ensure!(mapper.stop(STOP)?.success());
    balance_once_filed(&scene).await
}

/// Text of 64 letters in no order: zstd finds six bits in each letter, lz4 nothing.
fn noise(bytes: usize) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut state = 88_172_645_463_325_252_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state % 64) as usize]
    };
    (0..bytes).map(|_| letter()).collect()
}
