use super::BoxOptions;
use crate::Error;
use crate::cargo::Selection;
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_: &Selection, _: &BoxOptions, _: &Arguments) -> Result<bool, Error> {
    Ok(true)
}
