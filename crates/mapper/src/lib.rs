//! mapper
