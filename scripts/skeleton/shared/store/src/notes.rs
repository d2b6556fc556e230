//! Storage of notes.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::ports::{CreateNote, DeleteNote, GetNote, ListOldNotes, SaveWordCount};
use domain::{AuthorId, Note, NoteId, NotePosition, WordCount};
use ferrite_core::ports::PortError;
use ferrite_core::{Page, PageRequest, Timestamp, TraceContext};

use crate::keys::{self, number, string};
use crate::note_item;
use crate::table::{Table, port_error};

impl CreateNote for Table {
    async fn create(&self, note: &Note, trace_context: &TraceContext) -> Result<(), PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(note_item::write(note, trace_context)?))
            .condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(()),
            // An earlier attempt has stored the note.
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            Err(error) => Err(port_error("PutItem")(error)),
        }
    }
}

impl GetNote for Table {
    async fn get(&self, author: &AuthorId, id: NoteId) -> Result<Option<Note>, PortError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(keys::note(author, id))).consistent_read(true);
        let found = get.send().await.map_err(port_error("GetItem"))?;
        found.item.map(note_item::read).transpose()
    }
}

impl SaveWordCount for Table {
    async fn save_word_count(&self, author: &AuthorId, id: NoteId, count: WordCount) -> Result<bool, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::note(author, id)))
            .update_expression("SET wordCount = :count, #version = #version + :one")
            // Without the first condition, the update would create an item for a note that was deleted.
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(wordCount)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":count", number(count.get()))
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(port_error("UpdateItem")(error)),
        }
    }
}

impl ListOldNotes for Table {
    async fn list_old(
        &self,
        before: Timestamp,
        page: &PageRequest<NotePosition>,
    ) -> Result<Page<NotePosition, NotePosition>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(keys::LIST_INDEX)
            .key_condition_expression("gsi1pk = :all AND gsi1sk < :before")
            .expression_attribute_values(":all", string(keys::ALL_NOTES))
            .expression_attribute_values(":before", string(keys::list_sort_key_before(before)))
            .limit(i32::try_from(page.limit.get()).unwrap_or(i32::MAX).saturating_add(1))
            .set_exclusive_start_key(page.after.as_ref().map(|cursor| keys::list_position(cursor.last())));
        let response = query.send().await.map_err(port_error("Query"))?;
        // A DynamoDB page ends after 1 MB, even if it has fewer entries than requested.
        let cut_short = response.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let items = response.items.unwrap_or_default().into_iter();
        let found = items.map(|item| Ok(note_item::read(item)?.position())).collect::<Result<Vec<_>, PortError>>()?;
        Ok(Page::from_results(found, page.limit, cut_short, Clone::clone))
    }
}

impl DeleteNote for Table {
    async fn delete(&self, author: &AuthorId, id: NoteId) -> Result<bool, PortError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(keys::note(author, id)));
        let response = delete.return_values(ReturnValue::AllOld).send().await.map_err(port_error("DeleteItem"))?;
        Ok(response.attributes.is_some_and(|old| !old.is_empty()))
    }
}
