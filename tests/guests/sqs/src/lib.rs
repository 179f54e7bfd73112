//! Takes messages of a queue, as other people's types have them: those whose body is
//! `again` are to come again.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use lamina::{Context, Error};

#[lamina::handler]
async fn handle(event: SqsEvent, _ctx: Context) -> Result<SqsBatchResponse, Error> {
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        match message.body.as_deref() {
            None => return Err(Error::new("Queue.NoBody", format!("the message {id} has no body"))),
            Some("again") => {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                answer.batch_item_failures.push(failure);
            }
            Some(_) => {}
        }
    }
    Ok(answer)
}
