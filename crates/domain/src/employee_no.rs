//! Which employee a written number means: one rule for the directory that matches and for the archive that files.

use std::borrow::Cow;

use crate::{IdentityKind, Region, normalise_identity};

/// The spelling by which employee numbers are compared.
#[must_use]
pub fn normalise_employee_no(written: &str) -> Cow<'_, str> {
    // No region has a say in employee numbers.
    normalise_identity(IdentityKind::EmployeeNo, written, Region::CN)
}

/// The number that a written one means: itself where an employee `has` it, otherwise its normal form, whether anybody has that or not.
pub fn meant_employee_no(written: &str, has: impl FnOnce(&str) -> bool) -> Cow<'_, str> {
    if has(written) {
        Cow::Borrowed(written)
    } else {
        normalise_employee_no(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(employees: &[&str], written: &str, expected: &str) {
        let meant = meant_employee_no(written, |number| employees.contains(&number));
        assert_eq!(meant, expected, "{written} among {employees:?}");
    }

    #[test]
    fn a_number_is_meant_as_it_is_written_if_somebody_has_it_and_in_its_normal_form_otherwise() {
        check(&["e9", "E9"], "e9", "e9");
        check(&["E9"], "e9", "E9");
        check(&["E9"], "\u{ff25}\u{ff19}", "E9");
        check(&["E9"], " E9 ", "E9");
        check(&[], "e9", "E9");
    }
}
