//! Headers, by name and all of them. rdkafka's own iterator panics on a name that is not UTF-8, which any producer can write: so they are asked of librdkafka itself.

#![expect(unsafe_code, reason = "rd_kafka_header_get has no safe wrapper")]

use std::{ffi::CStr, ptr, slice};

use rdkafka::message::BorrowedHeaders;
use rdkafka_sys as sys;

/// The value of the first header of this name; `None` where there is none, or it is null.
pub(super) fn value_of<'a>(headers: &'a BorrowedHeaders, name: &CStr) -> Option<&'a [u8]> {
    let (mut value, mut size) = (ptr::null(), 0);
    // SAFETY: a reference to `BorrowedHeaders` is librdkafka's pointer itself (rdkafka, `BorrowedHeaders::from_native_ptr`), and the list is
    // neither changed nor freed while it is borrowed.
    let error = unsafe { sys::rd_kafka_header_get(ptr::from_ref(headers).cast(), 0, name.as_ptr(), &mut value, &mut size) };
    let is_found = error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && !value.is_null();
    // SAFETY: librdkafka says that `size` bytes are there; they belong to the list, which is borrowed for as long as the slice lives.
    is_found.then(|| unsafe { slice::from_raw_parts(value.cast(), size) })
}

/// All headers in their order: name and value, which can be null.
pub(super) fn all(headers: &BorrowedHeaders) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    (0..).map_while(|number| {
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: as in `value_of`.
        let error = unsafe { sys::rd_kafka_header_get_all(ptr::from_ref(headers).cast(), number, &mut name, &mut value, &mut size) };
        if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: as in `value_of`; a name ends with a NUL.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        // SAFETY: as in `value_of`.
        let value = (!value.is_null()).then(|| unsafe { slice::from_raw_parts(value.cast(), size) });
        Some((name, value))
    })
}

#[cfg(any(test, feature = "mock"))]
pub(crate) mod raw {
    //! Headers with any names, as a hostile producer writes them.

    use std::ffi::CStr;

    use rdkafka::message::OwnedHeaders;
    use rdkafka_sys as sys;

    /// Headers of these names and values, in this order.
    #[must_use]
    pub fn raw_headers(entries: &[(&CStr, Option<&[u8]>)]) -> OwnedHeaders {
        let headers = OwnedHeaders::new_with_capacity(entries.len());
        for (name, value) in entries {
            let (bytes, size) = value.map_or((std::ptr::null(), 0), |value| (value.as_ptr(), value.len() as isize));
            // SAFETY: as in `value_of`; the list is not shared yet, and name and value are copied.
            unsafe {
                let list = std::ptr::from_ref(headers.as_borrowed()).cast_mut().cast();
                sys::rd_kafka_header_add(list, name.as_ptr(), -1, bytes.cast(), size);
            }
        }
        headers
    }
}
