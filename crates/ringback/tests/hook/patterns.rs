// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every pattern that an argument can have.
#![allow(
    unused_parens,
    clippy::redundant_pattern,
    clippy::toplevel_ref_arg,
    reason = "the patterns are the cases"
)]

use super::support::run;

pub(crate) struct Point {
    pub x: i32,
    pub y: i32,
}

pub(crate) struct Pair(pub i32, pub i32);

macro_rules! swapped {
    ($one:ident, $other:ident) => {
        ($other, $one)
    };
}

macro_rules! functions {
    ($hook:meta) => {
        use super::{Pair, Point};
        use std::convert::Infallible;

        #[$hook]
        pub(super) async fn structs(
            Point { x, y: other }: Point,
            Point { y, .. }: &Point,
            Pair(one, _): Pair,
            Pair { 1: last, .. }: &Pair,
        ) -> Vec<i32> {
            vec![x, other, *y, one, *last]
        }

        #[$hook]
        pub(super) async fn references(
            &one: &i32,
            &(two, ref three): &(i32, i32),
            &mut ref mut four: &mut i32,
            (five, [six, ..]): &(i32, [i32; 2]),
        ) -> Vec<i32> {
            *four += 1;
            vec![one, two, *three, *four, *five, *six]
        }

        #[$hook]
        pub(super) async fn bindings(
            whole @ (one, _): (i32, i32),
            mut copy @ [.., last]: [i32; 3],
            ref by: i32,
            ref mut changed: i32,
            mut own: i32,
            alias @ _: i32,
        ) -> Vec<i32> {
            copy[0] = last;
            *changed += *by;
            own += 1;
            vec![whole.0, one, copy[0], *changed, own, alias]
        }

        #[$hook]
        pub(super) async fn alternatives(
            (Ok(one) | Err(one)): Result<i32, i32>,
            (Pair(two, 0..) | Pair(_, two)): Pair,
        ) -> Vec<i32> {
            vec![one, two]
        }

        #[$hook]
        pub(super) async fn others(
            (one): i32,
            swapped!(two, three): (i32, i32),
            [four, rest @ ..]: [i32; 3],
            Ok(five): Result<i32, Infallible>,
            (..): (i32, i32),
            _: i32,
            r#fn: i32,
        ) -> Vec<i32> {
            vec![one, two, three, four, rest[1], five, r#fn]
        }
    };
}

mod plain {
    functions!(allow(clippy::needless_pass_by_ref_mut));
}

mod hooked {
    functions!(ringback::hook);
}

macro_rules! answers {
    ($functions:ident) => {{
        use $functions::*;
        run(async {
            let pair = Pair(5, 6);
            [
                structs(Point { x: 1, y: 2 }, &Point { x: 0, y: 3 }, Pair(4, 5), &pair).await,
                references(&1, &(2, 3), &mut 4, &(5, [6, 7])).await,
                bindings((1, 2), [3, 4, 5], 6, 7, 8, 9).await,
                alternatives(Err(1), Pair(2, -3)).await,
                others(1, (2, 3), [4, 5, 6], Ok(7), (8, 9), 10, 11).await,
            ]
        })
    }};
}

#[test]
fn arguments_of_every_pattern() {
    let plain = answers!(plain);
    assert_eq!(plain, answers!(hooked));
    assert_eq!(plain[1], [1, 2, 3, 5, 5, 6]);
}
