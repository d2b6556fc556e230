//! E-mail limits and feedback.

use ferrite_core::Timestamp;
use ferrite_core::ports::PortError;

use super::MemoryStore;
use crate::ports::{GetEmailFeedback, LimitEmails, Reservation, SaveEmailFeedback};
use crate::{Email, EmailDelivery, EmailFeedback, EmailLimit, EmailPurpose, FeedbackKind};

impl LimitEmails for MemoryStore {
    async fn reserve(
        &self,
        to: &Email,
        delivery: &EmailDelivery,
        purpose: EmailPurpose,
        limit: EmailLimit,
        now: Timestamp,
    ) -> Result<Reservation, PortError> {
        let hour = now.unix_seconds().div_euclid(3600);
        let mut state = self.state();
        let deliveries = state.deliveries.entry((to.mailbox(), hour)).or_default();
        let digest = delivery.digest();
        if deliveries.all.contains(digest) {
            return Ok(Reservation::Reserved);
        }
        let is_confirmation = purpose == EmailPurpose::Confirmation;
        let is_full = |count: usize, limit: u32| count >= limit as usize;
        if is_full(deliveries.all.len(), limit.total())
            || (is_confirmation && is_full(deliveries.confirmations.len(), limit.confirmations()))
        {
            return Ok(Reservation::LimitReached);
        }
        deliveries.all.insert(digest.to_owned());
        if is_confirmation {
            deliveries.confirmations.insert(digest.to_owned());
        }
        Ok(Reservation::Reserved)
    }
}

impl GetEmailFeedback for MemoryStore {
    async fn feedback(&self, address: &Email) -> Result<Option<EmailFeedback>, PortError> {
        Ok(self.state().feedback.get(&address.lower_case()).copied())
    }
}

impl SaveEmailFeedback for MemoryStore {
    async fn save_feedback(&self, address: &Email, feedback: EmailFeedback) -> Result<(), PortError> {
        let mut state = self.state();
        let stored = state.feedback.entry(address.lower_case()).or_insert(feedback);
        if (stored.kind, feedback.kind) == (FeedbackKind::Bounce, FeedbackKind::Complaint) {
            *stored = feedback;
        }
        Ok(())
    }
}
