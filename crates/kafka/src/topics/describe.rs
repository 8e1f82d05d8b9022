//! A topic's identity: the id that the broker gave it when it was made. A recreated topic has the old name and a new id.
//!
//! One of three modules with unsafe code: librdkafka has this call in its C interface alone.

#![expect(unsafe_code, reason = "rd_kafka_DescribeTopics has no safe wrapper")]

use std::{
    ffi::{CStr, CString},
    ptr::NonNull,
    time::Duration,
};

use rdkafka::{
    client::{Client, ClientContext},
    error::KafkaError,
};
use rdkafka_sys as sys;

use crate::error::Error;

/// What tells a topic from another of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// The broker's id of the topic, 22 characters.
    pub topic_id: String,
    /// How many partitions it has.
    pub partitions: i32,
}

/// An object of librdkafka that is destroyed when it goes out of scope.
struct Owned<T> {
    pointer: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(pointer: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Result<Self, Error> {
        let pointer = NonNull::new(pointer).ok_or_else(|| Error::Describe("librdkafka gave no object".to_owned()))?;
        Ok(Self { pointer, destroy })
    }

    fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the matching constructor and is destroyed once, here.
        unsafe { (self.destroy)(self.pointer.as_ptr()) }
    }
}

/// Asks the broker what a topic is. `None` where there is no such topic.
///
/// # Errors
/// Where the broker does not answer in time.
pub fn describe_topics<C: ClientContext>(client: &Client<C>, name: &str, timeout: Duration) -> Result<Option<TopicDescription>, Error> {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let c_name = CString::new(name).map_err(|_| Error::Describe("a topic's name contains NUL".to_owned()))?;
    let mut names = [c_name.as_ptr()];
    // SAFETY: every pointer handed over lives until the end of this function, `Owned` destroys each object once, the queue is polled
    // until the result has come or the time is over, and nothing of the result is used after its event is destroyed.
    unsafe {
        let rk = client.native_ptr();
        let topics = Owned::new(
            sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()),
            sys::rd_kafka_TopicCollection_destroy,
        )?;
        let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = Owned::new(sys::rd_kafka_AdminOptions_new(rk, operation), sys::rd_kafka_AdminOptions_destroy)?;
        sys::rd_kafka_AdminOptions_set_request_timeout(options.as_ptr(), timeout_ms, std::ptr::null_mut(), 0);
        let queue = Owned::new(sys::rd_kafka_queue_new(rk), sys::rd_kafka_queue_destroy)?;
        sys::rd_kafka_DescribeTopics(rk, topics.as_ptr(), options.as_ptr(), queue.as_ptr());
        let event = sys::rd_kafka_queue_poll(queue.as_ptr(), timeout_ms.saturating_add(1_000));
        let event =
            Owned::new(event, sys::rd_kafka_event_destroy).map_err(|_| Error::Describe(format!("no answer about {name} in time")))?;
        read_result(event.as_ptr(), name)
    }
}

/// # Safety
/// `event` is a live event of a DescribeTopics call for one topic.
unsafe fn read_result(event: *mut sys::rd_kafka_event_t, name: &str) -> Result<Option<TopicDescription>, Error> {
    // SAFETY: the event is alive for the whole function; all that is read from it belongs to it and is copied.
    unsafe {
        let code = sys::rd_kafka_event_error(event);
        if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(Error::Describe(format!("asking for {name}: {}", text(sys::rd_kafka_err2str(code)))));
        }
        let mut count = 0;
        let descriptions = sys::rd_kafka_DescribeTopics_result_topics(sys::rd_kafka_event_DescribeTopics_result(event), &raw mut count);
        if descriptions.is_null() || count == 0 {
            return Ok(None);
        }
        let description = *descriptions;
        let code = sys::rd_kafka_error_code(sys::rd_kafka_TopicDescription_error(description));
        if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART {
            return Ok(None);
        }
        if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(Error::on_topic("describe", name, KafkaError::AdminOp(code.into())));
        }
        let topic_id = text(sys::rd_kafka_Uuid_base64str(sys::rd_kafka_TopicDescription_topic_id(description)));
        sys::rd_kafka_TopicDescription_partitions(description, &raw mut count);
        Ok(Some(TopicDescription {
            topic_id,
            partitions: i32::try_from(count).unwrap_or(i32::MAX),
        }))
    }
}

/// # Safety
/// `pointer` is null or a C string that lives through the call.
unsafe fn text(pointer: *const std::ffi::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
