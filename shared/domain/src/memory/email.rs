//! In-memory mailer.

use std::collections::VecDeque;
use std::sync::Mutex;

use ferrite_core::ports::PortError;

use crate::contract::email::MailerUnderTest;
use crate::ports::{SendEmail, SendEmailError};
use crate::{Email, EmailMessage, Notification};

/// Mailer that records sent messages and can simulate failures.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    sent: Mutex<Vec<EmailMessage>>,
    failures: Mutex<VecDeque<Failure>>,
}

#[derive(Debug)]
enum Failure {
    Before(SendEmailError),
    ResponseLost,
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl MemoryMailer {
    /// Returns the sent messages in the order in which they were sent.
    pub fn sent(&self) -> Vec<EmailMessage> {
        self.sent.lock().unwrap().clone()
    }

    /// Makes the next call of `send` fail with `error` before the message is sent. Repeated calls queue failures for
    /// the following messages.
    pub fn fail_next(&self, error: SendEmailError) {
        self.failures.lock().unwrap().push_back(Failure::Before(error));
    }

    /// Makes the next call of `send` send the message but lose the response. The failure is queued as with
    /// [`MemoryMailer::fail_next`].
    pub fn lose_next_response(&self) {
        self.failures.lock().unwrap().push_back(Failure::ResponseLost);
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
