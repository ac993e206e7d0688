use super::BoxOptions;
use crate::cargo::Selection;
use crate::Error;
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_: &Selection, _: &BoxOptions, _: &Arguments) -> Result<bool, Error> { Ok(true) }
