// SPDX-License-Identifier: MIT OR Apache-2.0

//! The expander for async programs: on a thread of its own, so that no executor waits.

use crate::{Call, Compiler, Error, Expander, Expansion, Library, Options};
use futures_channel::oneshot;
use std::sync::mpsc;

type Job = Box<dyn FnOnce(&mut Expander) + Send>;

/// Expands in the background; cloning shares the one server. Needs no particular runtime.
#[derive(Clone)]
pub struct AsyncExpander {
    jobs: mpsc::Sender<Job>,
}

impl AsyncExpander {
    /// Starts the server and its thread; both end with the last clone.
    pub fn new(compiler: &Compiler, options: Options) -> Result<Self, Error> {
        let mut expander = Expander::new(compiler, options)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let run = move || queue.into_iter().for_each(|job| job(&mut expander));
        let thread = std::thread::Builder::new().name("macrobox".into());
        thread.spawn(run).map_err(Error::io("starting a thread"))?;
        Ok(AsyncExpander { jobs })
    }

    /// Expands one call. A dropped future leaves the expansion to end by itself or by its limits.
    pub async fn expand(&self, library: Library, call: Call) -> Result<Expansion, Error> {
        let (answer, answered) = oneshot::channel();
        let gone = || Error::ServerLost { times: 1, reason: "its thread has ended".into() };
        let job = move |expander: &mut Expander| {
            let _ = answer.send(expander.expand(&library, &call)); // nobody waits any more
        };
        self.jobs.send(Box::new(job)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}
