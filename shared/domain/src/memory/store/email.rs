//! E-mail limits and feedback.

use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use super::MemoryStore;
use crate::ports::{GetEmailFeedback, LimitEmails, Reservation, SaveEmailFeedback};
use crate::{Email, EmailCounter, EmailDelivery, EmailFeedback, FeedbackKind};

impl LimitEmails for MemoryStore {
    async fn reserve(
        &self,
        counter: EmailCounter<'_>,
        delivery: &EmailDelivery,
        max: u32,
        now: Timestamp,
    ) -> Result<Reservation, PortError> {
        let counter = match counter {
            EmailCounter::Mailbox(to) => format!("mailbox {}", to.mailbox()),
            EmailCounter::MailboxConfirmations(to) => format!("mailbox confirmations {}", to.mailbox()),
            EmailCounter::CustomerConfirmations(customer) => format!("customer confirmations {customer}"),
        };
        let hour = now.unix_seconds().div_euclid(3600);
        let mut state = self.state();
        let deliveries = state.deliveries.entry((counter, hour)).or_default();
        if deliveries.contains(delivery.digest()) {
            return Ok(Reservation::Reserved);
        }
        if deliveries.len() >= max as usize {
            return Ok(Reservation::LimitReached);
        }
        deliveries.insert(delivery.digest().to_owned());
        Ok(Reservation::Reserved)
    }
}

impl GetEmailFeedback for MemoryStore {
    async fn feedback(&self, address: &Email) -> Result<Option<EmailFeedback>, PortError> {
        let feedback = &self.state().feedback;
        Ok(feedback.get(&address.lower_case()).or_else(|| feedback.get(&address.mailbox())).copied())
    }
}

impl SaveEmailFeedback for MemoryStore {
    async fn save_feedback(&self, address: &Email, feedback: EmailFeedback) -> Result<(), PortError> {
        let mut state = self.state();
        let stored = state.feedback.entry(feedback.applies_to(address)).or_insert(feedback);
        if (stored.kind, feedback.kind) == (FeedbackKind::Bounce, FeedbackKind::Complaint) {
            *stored = feedback;
        }
        Ok(())
    }
}
