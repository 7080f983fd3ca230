use super::*;
use crate::demo::folder::Folder;
use crate::demo::stage::{Screen, Stage};
use crate::report::render::Paint;
use std::io::Write;
use std::sync::{Arc, Mutex};
use ted_sim::Scenario;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Tells the story in another world, in virtual time: how it ends, and what was told until then.
async fn told_in(name: &str) -> (Result<Ending, Error>, String) {
    let paper = Paper::default();
    let screen = Screen { paint: Paint::PLAIN, columns: 100, size: None };
    let stage = Stage::new(Box::new(paper.clone()), screen);
    let scenario = Scenario::named(name).unwrap();
    let folder = Folder::create().unwrap();
    let mut play = Play::begin(scenario, 60.0, folder, stage).await.unwrap();
    let ending = Box::pin(tell(&mut play)).await;
    play.end().await.remove();
    let told = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    (ending, told)
}

#[tokio::test(start_paused = true)]
async fn in_its_own_world_the_story_ends_well() {
    let (ending, told) = told_in("default").await;
    assert!(matches!(ending, Ok(Ending::AsWanted)), "{ending:?}\n{told}");
    assert!(told.contains("What was seen"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_does_not_come_ends_it_and_says_what_came_instead() {
    for (world, wanted, instead) in [
        ("valkey", "the world begins with TED v1.44.0 on Redis 7.1", "TED v1.52.1 on valkey 8.0"),
        ("database-deleted", "every gate holds", "einstein: gate database-available"),
        ("access-denied-launch-role", "the update succeeds", "UPDATE_ROLLBACK_FAILED"),
    ] {
        let (ending, told) = told_in(world).await;
        let error = ending.expect_err(world).to_string();
        assert!(error.contains(wanted) && error.contains(instead), "{world}: {error}\n{told}");
        assert!(!told.contains("What was seen"), "{world}: {told}");
    }
}

#[test]
fn the_line_to_add_is_taken_from_the_remedy() {
    assert_eq!(quoted("add `tedVersion: v1.52.1`").unwrap(), "tedVersion: v1.52.1");
    assert!(quoted("wait").unwrap_err().to_string().contains("it says: wait"));
}
