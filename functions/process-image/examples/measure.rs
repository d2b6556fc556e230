use process_image::pipeline::{Format, make_variants};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let f = match &path {
        p if p.ends_with("png") => Format::Png,
        p if p.ends_with("webp") => Format::WebP,
        _ => Format::Jpeg,
    };
    let b = std::fs::read(&path).unwrap();
    let t = std::time::Instant::now();
    let v = make_variants(&b, f);
    let e = t.elapsed();
    match v {
        Ok(v) => {
            println!(
                "{path} {e:?} {}x{} {} B, {}x{} {} B",
                v.display.width,
                v.display.height,
                v.display.bytes.len(),
                v.thumbnail.width,
                v.thumbnail.height,
                v.thumbnail.bytes.len()
            );
            if let Some(o) = std::env::args().nth(2) {
                std::fs::write(format!("{o}-d.jpg"), v.display.bytes).unwrap();
                std::fs::write(format!("{o}-t.jpg"), v.thumbnail.bytes).unwrap();
            }
        }
        Err(e2) => println!("{path} {e:?} {e2:?}"),
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
