ringback::callback_type! {
    pub struct Fetch: async fn(name: *const u8, filter: &u32) -> i64
}

fn main() {}
