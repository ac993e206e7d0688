//! cli
/// run
pub fn run() -> i32 { if let Ok(task) = std::env::var(crate::record::TASK) { return crate::record::wrap_rustc(&task, std::env::args_os().skip(1)); } 0 }
