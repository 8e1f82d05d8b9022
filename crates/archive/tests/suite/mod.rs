//! What both archives must do. Each database's test file opens a fresh archive and runs all of it.

pub(crate) mod builders;
pub(crate) mod employees;
pub(crate) mod filing;
pub(crate) mod history;
pub(crate) mod letters;
pub(crate) mod model;
pub(crate) mod positions;
pub(crate) mod property;
pub(crate) mod rebuild;
pub(crate) mod reconciliations;
pub(crate) mod refusals;

/// Makes one test of each listed check; `$open` gives a fresh archive, and whatever must outlive it.
macro_rules! run_suite {
    ($open:path: $($module:ident :: $check:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            let place = $open().await;
            suite::$module::$check(&place.archive).await;
        })+
    };
}

/// Every check, with the function that opens a fresh archive.
macro_rules! run_whole_suite {
    ($open:path) => {
        run_suite! {
            $open:
            positions::a_position_is_claimed_once_and_found_again,
            positions::a_batch_that_is_not_at_its_position_changes_nothing,
            positions::what_is_known_of_schemas_moves_with_its_position_and_not_without,
            positions::several_partitions_move_together_or_not_at_all,
            positions::of_two_sinks_with_the_same_batch_one_succeeds,
            filing::a_new_result_reads_back_exactly_as_it_was_said,
            filing::a_score_of_zero_is_filed_as_zero,
            filing::saying_the_same_again_is_a_duplicate_and_adds_no_row,
            filing::an_older_version_that_comes_late_is_history,
            filing::a_withdrawn_record_shows_what_it_showed_and_comes_back_with_a_greater_revision,
            filing::a_lone_withdrawal_shows_nothing_until_a_score_is_known,
            filing::a_corrected_title_reaches_the_record_without_a_new_version,
            filing::a_first_revision_lets_a_withdrawal_without_one_outrank_the_score,
            filing::records_without_a_finish_time_come_last,
            filing::records_are_found_by_their_results,
            filing::a_retracted_report_leaves_what_others_said,
            history::a_content_that_only_the_record_held_survives_every_change_of_it,
            history::thousands_of_redeliveries_of_one_result_are_judged_in_seconds,
            history::thousands_of_distinct_versions_of_one_result_are_all_kept_and_the_greatest_wins,
            refusals::refusing_can_be_withheld_and_then_changes_nothing,
            refusals::a_score_for_another_employee_waits_until_somebody_decides,
            refusals::a_refusal_that_comes_to_count_stands_where_it_arrived,
            refusals::a_refusal_that_is_settled_in_the_same_call_is_none,
            refusals::what_cannot_be_decoded_is_kept_byte_by_byte,
            refusals::a_row_that_no_archive_can_hold_is_set_aside_and_stops_nobody,
            refusals::an_employee_number_that_no_archive_can_hold_never_stands_against_a_decision,
            refusals::refusals_are_read_page_by_page,
            employees::a_successor_settles_refusals_and_takes_the_records,
            employees::a_successor_of_the_owner_settles_refusals_too,
            employees::an_older_statement_never_overwrites_a_newer_one,
            employees::all_spellings_of_a_number_are_found_by_any_of_them,
            employees::an_erased_employee_leaves_the_records,
            employees::what_counted_goes_on_counting_when_a_successor_is_taken_back,
            employees::a_successor_that_changes_or_goes_is_remembered,
            employees::a_circle_of_successors_ends,
            employees::a_successor_is_meant_in_its_normal_form_where_nobody_has_the_number_as_it_is_written,
            employees::a_refusal_is_settled_when_the_successors_record_comes_or_goes,
            letters::refusals_stand_among_the_letters,
            letters::letters_and_refusals_are_filtered_alike,
            letters::what_is_done_to_a_letter_is_noted_with_who_when_and_why,
            rebuild::what_the_sink_passed_over_is_filed_when_it_is_made_anew,
            rebuild::what_is_said_after_it_was_read_is_not_lost_when_a_result_is_made_anew,
            reconciliations::a_run_is_one_persons_and_its_result_is_read_back,
            property::any_batching_gives_what_the_rule_says,
        }
    };
}
