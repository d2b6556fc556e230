//! E-mail that goes nowhere.

use std::collections::VecDeque;
use std::sync::Mutex;

use ferrite_core::ports::PortError;

use crate::contract::email::MailerUnderTest;
use crate::ports::{SendEmail, SendEmailError};
use crate::{Email, EmailMessage, Notification};

/// Keeps what was sent, and fails when it is told to.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    sent: Mutex<Vec<EmailMessage>>,
    failures: Mutex<VecDeque<Failure>>,
}

#[derive(Debug)]
enum Failure {
    Before(SendEmailError),
    AnswerLost,
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl MemoryMailer {
    /// What was sent, in its order.
    pub fn sent(&self) -> Vec<EmailMessage> {
        self.sent.lock().unwrap().clone()
    }

    /// Has a message that is to come fail with `error` and not be sent: the next one, or the one after those that are to fail
    /// already.
    pub fn fail_next(&self, error: SendEmailError) {
        self.failures.lock().unwrap().push_back(Failure::Before(error));
    }

    /// Has a message that is to come, as [`MemoryMailer::fail_next`] counts, be sent and its sender get no answer.
    pub fn lose_next_answer(&self) {
        self.failures.lock().unwrap().push_back(Failure::AnswerLost);
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl SendEmail for MemoryMailer {
    async fn send(&self, message: &EmailMessage) -> Result<(), SendEmailError> {
        let failure = self.failures.lock().unwrap().pop_front();
        if let Some(Failure::Before(error)) = failure {
            return Err(error);
        }
        self.sent.lock().unwrap().push(message.clone());
        match failure {
            None => Ok(()),
            Some(_) => Err(SendEmailError::Unknown(PortError::new("SendEmail", "the connection broke"))),
        }
    }
}

impl MailerUnderTest for MemoryMailer {
    async fn received(&self, address: &Email) -> Vec<Notification> {
        self.sent().into_iter().filter(|message| message.to == *address).map(|message| message.notification).collect()
    }
}
