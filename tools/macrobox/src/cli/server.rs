use super::BoxOptions;
use crate::Error;
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_: &BoxOptions, _: &Arguments) -> Result<bool, Error> { Ok(true) }
