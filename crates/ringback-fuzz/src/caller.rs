// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who calls: this thread, with a script for each listener that it enters, or foreign threads that call
//! and stay inside until they are told to leave.

use crate::Function;
use crate::model::Id;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What this thread does inside the next listener that it enters, which says who it is (a static one does
/// not know). True: then the listener panics.
pub(crate) type Script = Box<dyn FnOnce(Option<Id>) -> bool>;

enum Order {
    Call(Function, i32),
    Leave { panics: bool },
}

pub(crate) enum Event {
    Entered(Option<Id>),
    Answered(i32),
}

thread_local! {
    static SCRIPTS: RefCell<Vec<Script>> = const { RefCell::new(Vec::new()) };
    static FOREIGN: RefCell<Option<(Receiver<Order>, Sender<Event>)>> = const { RefCell::new(None) };
}

/// The body of every listener.
pub(crate) fn inside(id: Option<Id>) {
    let panics = FOREIGN.with_borrow(|foreign| match foreign {
        Some((orders, events)) => {
            let _ = events.send(Event::Entered(id));
            matches!(orders.recv(), Ok(Order::Leave { panics: true }))
        }
        None => {
            let script = SCRIPTS.with_borrow_mut(Vec::pop);
            script.expect("a listener was entered that the model says is not")(id)
        }
    });
    if panics {
        resume_unwind(Box::new("provoked")); // tells no panic hook
    }
}

/// Calls; `script` is what happens inside.
pub(crate) fn call(function: Function, argument: i32, script: Script) -> i32 {
    SCRIPTS.with_borrow_mut(|scripts| scripts.push(script));
    function(argument)
}

/// A thread that calls when it is told to.
pub(crate) struct Foreign {
    orders: Option<Sender<Order>>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Foreign {
    pub(crate) fn new() -> Foreign {
        let (orders, incoming) = channel();
        let (outgoing, events) = channel();
        let thread = thread::spawn(move || {
            FOREIGN.set(Some((incoming, outgoing)));
            while let Some((function, argument)) = FOREIGN.with_borrow(next_call) {
                let answer = function(argument);
                FOREIGN.with_borrow(|foreign| {
                    let (_, events) = foreign.as_ref().expect("set above");
                    let _ = events.send(Event::Answered(answer));
                });
            }
        });
        Foreign { orders: Some(orders), events, thread: Some(thread) }
    }

    fn tell(&self, order: Order) -> Event {
        let orders = self.orders.as_ref().expect("until it is dropped");
        orders.send(order).expect("the thread lives");
        self.events.recv_timeout(Duration::from_secs(60)).expect("a foreign thread hangs")
    }

    /// Calls, and comes back when it is inside or through.
    pub(crate) fn call(&self, function: Function, argument: i32) -> Event {
        self.tell(Order::Call(function, argument))
    }

    /// Leaves the listener; the answer.
    pub(crate) fn leave(&self, panics: bool) -> i32 {
        match self.tell(Order::Leave { panics }) {
            Event::Answered(answer) => answer,
            Event::Entered(id) => panic!("entered {id:?} while leaving"),
        }
    }
}

fn next_call(foreign: &Option<(Receiver<Order>, Sender<Event>)>) -> Option<(Function, i32)> {
    let (orders, _) = foreign.as_ref()?;
    match orders.recv() {
        Ok(Order::Call(function, argument)) => Some((function, argument)),
        Ok(Order::Leave { .. }) => panic!("it is not inside"),
        Err(_) => None,
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && !thread::panicking()
        {
            thread.join().expect("a foreign thread does as it is told");
        }
    }
}
