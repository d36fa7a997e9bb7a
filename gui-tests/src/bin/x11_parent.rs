//! A window of another program, for a screen to live in: prints its number, stays for as long as it is told.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
    let secs = std::env::args()
        .nth(1)
        .map_or(Ok(60), |text| text.parse())?;
    let (connection, screen) = x11rb::connect(None)?;
    let screen = &connection.setup().roots[screen];
    let window = connection.generate_id()?;
    let look = CreateWindowAux::new().background_pixel(0x0040_0040);
    connection.create_window(
        x11rb::COPY_DEPTH_FROM_PARENT,
        window,
        screen.root,
        20,
        20,
        940,
        640,
        0,
        WindowClass::INPUT_OUTPUT,
        screen.root_visual,
        &look,
    )?;
    connection.map_window(window)?;
    connection.flush()?;
    println!("{window}");
    std::thread::sleep(std::time::Duration::from_secs(secs));
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {}
