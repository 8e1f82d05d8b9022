//! What the demo and the end-to-end tests share: a company with the truth about it, and handles on the program and its surroundings.

pub mod company;
