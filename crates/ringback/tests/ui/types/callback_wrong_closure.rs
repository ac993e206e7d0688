ringback::callback_type! {
    struct OnDoor: fn(open: bool) -> i32
}

fn main() {
    OnDoor::new(|open: bool| if open { "yes" } else { "no" });
    OnDoor::new(|open: u8| i32::from(open));
    let door = OnDoor::new(i32::from).adopt().unwrap();
    let _: Result<i32, ringback::ForeignError> = door.call("open");
}
