use serde_json::json;

use super::*;

fn asked() -> Value {
    json!({
        "Namespace": "AWS/Lambda",
        "MetricName": "Duration",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        "StartTime": 1_000.9,
        "EndTime": 1_201,
        "Period": 60,
        "Statistics": ["Average", "Maximum"],
        "ExtendedStatistics": ["p99.9"],
    })
}

#[test]
fn requests_of_each_protocol_are_the_same() {
    let form = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS/Lambda&MetricName=Duration\
                &Dimensions.member.1.Name=FunctionName&Dimensions.member.1.Value=f\
                &StartTime=1970-01-01T00:16:40Z&EndTime=1970-01-01T00%3A20%3A01%2B00%3A00&Period=60\
                &Statistics.member.1=Average&Statistics.member.2=Maximum&ExtendedStatistics.member.1=p99.9";
    let of_form = GetMetricStatistics::read(crate::form::decode(form).unwrap()).unwrap();
    let of_value = GetMetricStatistics::read(asked()).unwrap();
    assert_eq!(of_form, of_value);
    assert_eq!(of_value.span, Span { start: 960, end: 1_260 });
    assert!(
        matches!(&of_value.statistics[2], Statistic::Percentile(share, text) if (share - 0.999).abs() < 1e-9 && text == "p99.9")
    );
}

#[test]
fn statistics_that_cannot_be_are_refused() {
    let check = |change: Value| {
        let mut value = asked();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        GetMetricStatistics::read(value).unwrap_err()
    };
    for value in [
        json!({"Period": 61}),
        json!({"Period": 0}),
        json!({"Period": "x"}),
        json!({"Period": 86_460}),
        json!({"Statistics": ["p99"]}),
        json!({"Statistics": ["Median"]}),
        json!({"ExtendedStatistics": ["p101"]}),
        json!({"ExtendedStatistics": ["p"]}),
        json!({"Dimensions": {"FunctionName": "f"}}),
        json!({"Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]}),
        json!({"StartTime": -1}),
        json!({"StartTime": 1e300}),
        json!({"Cake": true}),
    ] {
        assert!(matches!(check(value.clone()), Refused::Value(_)), "{value}");
    }
    for value in [json!({"MetricName": null}), json!({"EndTime": null}), json!({"Dimensions": [{"Name": "a"}]})] {
        assert!(matches!(check(value.clone()), Refused::Missing(_)), "{value}");
    }
    for value in [json!({"StartTime": 1_201}), json!({"EndTime": 1_000 + 1_441 * 60})] {
        assert!(matches!(check(value.clone()), Refused::Combination(_)), "{value}");
    }
}

#[test]
fn queries_of_data_are_read() {
    let query = |id: &str| {
        let metric = json!({"Namespace": "n", "MetricName": "m"});
        json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}})
    };
    let read = |queries: Value| {
        GetMetricData::read(
            json!({"MetricDataQueries": queries, "StartTime": 0, "EndTime": 60, "ScanBy": "TimestampAscending"}),
        )
    };
    let data = read(json!([query("a"), query("b_1")])).unwrap();
    assert_eq!((data.queries.len(), data.queries[1].id.as_str(), data.ascending), (2, "b_1", true));
    let mut hidden = query("c");
    hidden["ReturnData"] = json!(false);
    assert_eq!(read(json!([hidden])).unwrap().queries, []);
    for queries in [
        json!([query("a"), query("a")]),
        json!([query("A")]),
        json!([{"Id": "a", "Expression": "b * 2"}]),
        json!(vec![query("a"); 501]),
    ] {
        assert!(matches!(read(queries), Err(Refused::Value(_))));
    }
    assert!(matches!(read(json!([{"Id": "a"}])), Err(Refused::Missing(_))));
}

#[test]
fn lists_are_filtered_and_paged() {
    let list = ListMetrics::read(json!({"Dimensions": [{"Name": "a"}, {"Name": "b", "Value": "1"}], "NextToken": "7"}));
    let dimensions = vec![("a".to_owned(), None), ("b".to_owned(), Some("1".to_owned()))];
    assert_eq!(list, Ok(ListMetrics { namespace: None, name: None, dimensions, skip: 7 }));
    assert!(ListMetrics::read(json!({"NextToken": "x"})).is_err());
    assert!(ListMetrics::read(json!({"RecentlyActive": "PT1H"})).is_err());
    assert!(ListMetrics::read(json!([])).is_err());
}
