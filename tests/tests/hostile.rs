//! Replays the corpus of the fuzz targets on the compiler of the product, and damages it a little further, always in the same way.
#![expect(clippy::unwrap_used, reason = "a test may panic; the lint knows only functions marked as tests")]

#[path = "hostile/corpus.rs"]
mod corpus;
#[path = "hostile/damage.rs"]
mod damage;

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    sync::{Mutex, MutexGuard, PoisonError},
};

use corpus::{Input, inputs};
use damage::damaged;
use peak_alloc::PeakAlloc;
use scoresync_tests::{
    hostile::{TARGETS, Target},
    stack::project,
};

/// Counts what the whole process holds; so measuring and everything else here takes turns.
#[global_allocator]
static HELD: PeakAlloc = PeakAlloc;

/// All inputs together, so that nobody minds having them in the repository.
const MAX_CORPUS_BYTES: usize = 300_000;
/// Damaged inputs for each one of the corpus.
const DAMAGES: u64 = 12;

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the input can be read; a broken rule fails the test with the input's name.
fn check(target: Target, input: &Input) -> bool {
    let checked = catch_unwind(|| (target.check)(&input.bytes));
    checked.unwrap_or_else(|_| panic!("{} {} breaks a rule: see the panic before this one", target.name, input.name))
}

#[test]
fn no_input_of_the_corpus_breaks_a_rule_and_each_target_has_some_that_can_be_read() {
    let _turn = turn();
    for target in TARGETS {
        let inputs = inputs(target.name);
        let read = inputs.iter().filter(|input| check(target, input)).count();
        assert!(read > 0, "no input of {} can be read, so that nothing is tried", target.name);
        assert!(
            read < inputs.len(),
            "all inputs of {} can be read, so that nothing is refused",
            target.name
        );
    }
}

#[test]
fn what_an_input_costs_in_memory_is_bounded_by_a_multiple_of_its_size() {
    let _turn = turn();
    for target in TARGETS {
        for input in inputs(target.name).iter().chain(&damaged_inputs(target)) {
            check_costs(target, input);
        }
    }
}

fn check_costs(target: Target, input: &Input) {
    for cost in target.costs {
        // What is made once for all inputs is made before.
        (cost.read)(&input.bytes);
        let before = HELD.current_usage();
        HELD.reset_peak_usage();
        (cost.read)(&input.bytes);
        let held = HELD.peak_usage().saturating_sub(before);
        let allowed = cost.allowed_bytes(input.bytes.len());
        assert!(
            held <= allowed,
            "{} {}: {held} bytes for {} received, {allowed} are allowed",
            target.name,
            input.name,
            input.bytes.len()
        );
    }
}

#[test]
fn no_damage_to_the_corpus_breaks_a_rule() {
    let _turn = turn();
    for target in TARGETS {
        for input in damaged_inputs(target) {
            check(target, &input);
        }
    }
}

fn damaged_inputs(target: Target) -> Vec<Input> {
    let inputs = inputs(target.name);
    let others: Vec<&[u8]> = inputs.iter().map(|input| input.bytes.as_slice()).collect();
    let damage = |input: &Input| (0..DAMAGES).map(|seed| damaged(input, &others, seed)).collect::<Vec<_>>();
    inputs.iter().flat_map(damage).collect()
}

#[test]
fn every_target_is_one_of_cargo_fuzz_and_has_a_corpus() {
    let named = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(project().join("fuzz").join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.trim_end_matches(".rs").to_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(named("fuzz_targets"), targets);
    assert_eq!(named("corpus"), targets);
    let manifest: toml::Table = fs::read_to_string(project().join("fuzz/Cargo.toml")).unwrap().parse().unwrap();
    let binaries = manifest["bin"].as_array().unwrap().iter();
    let binaries: BTreeSet<String> = binaries.map(|binary| binary["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(binaries, targets);
}

#[test]
fn the_corpus_is_small() {
    let sizes = TARGETS.iter().flat_map(|target| inputs(target.name)).map(|input| input.bytes.len());
    let bytes: usize = sizes.sum();
    assert!(bytes <= MAX_CORPUS_BYTES, "{bytes} bytes");
}
