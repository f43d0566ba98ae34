//! A component that is no plugin: it exports something else. Installing it must be refused by name.

wit_bindgen::generate!({
    inline: "
        package acme:greeter@1.0.0;
        interface greeting {
            greet: func(name: string) -> string;
        }
        world greeter {
            export greeting;
        }
    ",
});

pub struct Greeter;

impl exports::acme::greeter::greeting::Guest for Greeter {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}

#[cfg(target_family = "wasm")]
export!(Greeter);
