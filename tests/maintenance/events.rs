//! Maintenance's events, as the files in `events/maintenance` hold them.

use maintenance::jobs::{self, JOBS, Order};
use tests::House;

#[tokio::test]
async fn every_job_has_an_event_and_runs_by_it() {
    let house = House::new().await;
    for job in JOBS.iter().filter(|job| job.every_s().is_some()) {
        let file = format!("{}.json", job.name().replace('_', "-"));
        let path = format!("../events/maintenance/{file}");
        let order: Order = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(order.job, job.name());
        let report = jobs::run(&house.server.maintenance, order).await.unwrap();
        assert_eq!(report["job"], job.name());
    }
}

#[test]
fn the_template_says_how_often_each_job_runs() {
    let template = std::fs::read_to_string("../template.yaml").unwrap();
    for job in JOBS.iter().filter(|job| job.every_s().is_some()) {
        assert!(
            template.contains(&format!("\"job\":\"{}\"", job.name())),
            "{}",
            job.name()
        );
    }
}
