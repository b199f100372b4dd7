use simulation::explore::{Bounds, Scene, explore};

#[test]
fn one() {
    let n = |name: &str, d: u8| std::env::var(name).ok().map_or(d, |t| t.parse().unwrap());
    let b = Bounds { deaths: n("DEATHS", 4), faults: n("FAULTS", 1), copies: n("COPIES", 0) };
    for scene in [Scene::one(b), Scene::parked(b), Scene::two(b), Scene::rising(b), Scene::resolved(b)] {
        if std::env::var("ONLY").is_ok_and(|only| !scene.name.contains(&only)) {
            continue;
        }
        let t = std::time::SystemTime::now();
        let found = explore(&scene).unwrap();
        println!("{found}\n {:?}", t.elapsed());
    }
}
