use gridtap::access::Config;
use gridtap::export::json::Lines;
use gridtap::reading::*;
fn main() {
    let mut a = std::env::args().skip(1);
    let what = What::of(&a.next().unwrap()).unwrap();
    let mut lines = Lines::new(&what.columns(), std::io::stdout());
    let mut r = Reading::new(Config::default());
    {
        let mut sel = Select { what, target: &mut lines };
        for p in a {
            let f = std::fs::File::open(&p).unwrap();
            let mut s = gridtap::capture::open(Box::new(f), &[]).unwrap();
            r.begin_source();
            while r.step(s.as_mut(), &mut sel, &mut |f| eprintln!("{p}: {f:?}")).unwrap() {}
        }
        r.finish(&mut sel);
    }
    lines.flush().unwrap();
    let o = r.outcome();
    eprintln!(
        "{:?}\n{:?}\n{:?} dup {} stale {}",
        r.counts(),
        o.accesses,
        o.losses,
        o.duplicate_packets,
        o.stale_packets
    );
}
