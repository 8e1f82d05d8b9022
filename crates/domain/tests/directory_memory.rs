//! How much memory the directory takes, that it gives it back, and that finding somebody takes none.

#[path = "shared/staff.rs"]
#[expect(dead_code, reason = "the directory is filled step by step here")]
mod staff;

use peak_alloc::PeakAlloc;
use scoresync_domain::{Directory, Region, Timestamp};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const EMPLOYEES: u32 = 100_000;
/// Measured: 87 bytes at this size, of which the index takes 36, and 78 at ten times of it.
const MOST_BYTES_PER_EMPLOYEE: usize = 110;
/// What is left of a directory that was full: room for the next record.
const MOST_BYTES_OF_NOBODY: usize = 4096;

/// One test, so that nobody else allocates meanwhile.
#[test]
fn employees_take_little_memory_finding_them_none_and_updates_and_erasures_leave_none_behind() {
    let before = ALLOCATOR.current_usage();
    let mut directory = Directory::new(Region::CN);
    let bytes = |_: &Directory| ALLOCATOR.current_usage() - before;
    let bytes_per_employee = |directory: &Directory| bytes(directory) / EMPLOYEES as usize;

    for number in 0..EMPLOYEES {
        directory.apply_employee(&staff::employee(number));
    }
    let full = bytes_per_employee(&directory);
    println!("{full} bytes for an employee");
    assert!(full <= MOST_BYTES_PER_EMPLOYEE, "{full} bytes for an employee");

    let (employee_no, phone) = (staff::employee_no(7), staff::phone(7));
    ALLOCATOR.reset_peak_usage();
    find(&directory, &employee_no, None);
    find(&directory, &employee_no, Some(&phone));
    assert_eq!(ALLOCATOR.peak_usage(), ALLOCATOR.current_usage(), "finding somebody allocates");

    // Names that grow and shrink leave rows of all lengths behind, a hundredth of the employees all the time, then everybody.
    for round in 1..=20 {
        (0..EMPLOYEES / 100).for_each(|number| rename(&mut directory, number * 100, round));
    }
    (0..EMPLOYEES).for_each(|number| rename(&mut directory, number, 21));
    let updated = bytes_per_employee(&directory);
    println!("{updated} bytes for an employee after updates");
    assert!(updated <= full + full / 2, "{updated} bytes for an employee after updates");

    for number in 0..EMPLOYEES {
        assert!(directory.erase(&staff::employee_no(number)));
    }
    let left = bytes(&directory);
    assert!(left <= MOST_BYTES_OF_NOBODY, "{left} bytes for nobody");
}

fn find(directory: &Directory, employee_no: &str, phone: Option<&str>) {
    let found = staff::find(directory, Some(employee_no), phone).map(|found| found.employee.employee_no());
    assert_eq!(found, Ok(employee_no));
}

fn rename(directory: &mut Directory, number: u32, round: usize) {
    let mut employee = staff::employee(number);
    let characters = (number as usize + round * 7) % 12;
    employee.name = Some("雷".repeat(characters));
    employee.as_of = Timestamp::from_millis(1_790_000_000_000 + round as i64);
    assert!(directory.apply_employee(&employee));
}
