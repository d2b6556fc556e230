//! The domain events of the application, which its domain crate declares as an enum with one variant per type.

use syn::{Attribute, Expr, Fields, ImplItem, Item, ItemEnum, Lit, LitStr, Type};

/// The events of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Events {
    /// The name of the enum, such as `DomainEvent`.
    pub(crate) enumeration: String,
    /// The source of all events, such as `acme.notes`.
    pub(crate) source: String,
    types: Vec<EventType>,
}

/// A type of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventType {
    /// The full type, such as `acme.note.created.v1`.
    pub(crate) name: String,
    /// The variant of the enum, such as `NoteCreated`.
    pub(crate) variant: String,
    /// The type of the variant's only field, such as `NoteCreated`. `None` if the variant has another form.
    pub(crate) payload: Option<String>,
}

/// No event has the requested name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no event {name:?}; the events are: {}", known.join(", "))]
pub(crate) struct UnknownEvent {
    name: String,
    known: Vec<String>,
}

impl EventType {
    /// The type without the prefix of the application and the version, such as `note.created`.
    pub(crate) fn short_name(&self) -> &str {
        let name = self.name.split_once('.').map_or(self.name.as_str(), |(_, name)| name);
        match name.rsplit_once(".v") {
            Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => name,
        }
    }

    fn version(&self) -> u32 {
        self.name.rsplit_once(".v").and_then(|(_, version)| version.parse().ok()).unwrap_or(0)
    }
}

impl Events {
    /// Finds the events in a source file of the domain crate. Returns `None` if the file does not implement the trait
    /// `Event` for an enum.
    ///
    /// # Errors
    /// Returns an error if the text is not Rust code.
    pub(crate) fn find(text: &str) -> Result<Option<Self>, syn::Error> {
        let file = syn::parse_file(text)?;
        let implementation = file.items.iter().find_map(|item| match item {
            Item::Impl(item) if item.trait_.as_ref().is_some_and(|(path, _)| path.is_ident("Event")) => Some(item),
            _ => None,
        });
        let Some(implementation) = implementation else { return Ok(None) };
        let Type::Path(enumeration) = &*implementation.self_ty else { return Ok(None) };
        let source = implementation.items.iter().find_map(|item| match item {
            ImplItem::Const(constant) if constant.ident == "SOURCE" => text_of(&constant.expr),
            _ => None,
        });
        let enumeration = file.items.iter().find_map(|item| match item {
            Item::Enum(item) if enumeration.path.is_ident(&item.ident) => Some(item),
            _ => None,
        });
        Ok(enumeration.zip(source).map(|(enumeration, source)| Self {
            enumeration: enumeration.ident.to_string(),
            source,
            types: types(enumeration),
        }))
    }

    /// An event of another type, if there is one.
    pub(crate) fn other_than(&self, event: &EventType) -> Option<&EventType> {
        self.types.iter().find(|other| *other != event)
    }

    /// Returns the type with this short or full name. If a short name has several versions, returns the latest.
    ///
    /// # Errors
    /// Returns an error with all names if there is no such type.
    pub(crate) fn get(&self, name: &str) -> Result<&EventType, UnknownEvent> {
        let matching = self.types.iter().filter(|event| event.name == name || event.short_name() == name);
        matching.max_by_key(|event| event.version()).ok_or_else(|| {
            let mut known: Vec<String> = self.types.iter().map(|event| event.short_name().to_owned()).collect();
            known.dedup();
            UnknownEvent { name: name.to_owned(), known }
        })
    }
}

/// The variants that have a type in an attribute `#[serde(rename = "…")]`.
fn types(enumeration: &ItemEnum) -> Vec<EventType> {
    let variants = enumeration.variants.iter();
    variants
        .filter_map(|variant| {
            let name = variant.attrs.iter().find_map(renamed)?;
            Some(EventType { name, variant: variant.ident.to_string(), payload: payload(&variant.fields) })
        })
        .collect()
}

fn payload(fields: &Fields) -> Option<String> {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => match &fields.unnamed.first()?.ty {
            Type::Path(path) => Some(path.path.get_ident()?.to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn renamed(attribute: &Attribute) -> Option<String> {
    if !attribute.path().is_ident("serde") {
        return None;
    }
    let mut name = None;
    attribute
        .parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<LitStr>()?.value());
            }
            Ok(())
        })
        .ok()?;
    name
}

fn text_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        /// A note was created.
        pub struct NoteCreated { pub note_id: NoteId }

        #[derive(Serialize, Deserialize)]
        #[serde(tag = "type", content = "data")]
        pub enum NoteEvent {
            #[serde(rename = "acme.note.created.v1")]
            NoteCreated(NoteCreated),
            #[serde(rename = "acme.note.created.v2")]
            NoteCreatedV2(NoteCreated),
            #[serde(rename = "acme.note.shared-with.v1")]
            NoteShared(NoteShared),
        }

        impl Event for NoteEvent {
            const SOURCE: &'static str = "acme.notes";
            fn event_type(&self) -> &'static str { "" }
        }
    "#;

    #[test]
    fn finds_events_by_their_short_and_full_names() {
        let events = Events::find(SOURCE).unwrap().unwrap();
        assert_eq!((events.enumeration.as_str(), events.source.as_str()), ("NoteEvent", "acme.notes"));
        assert_eq!(events.get("note.shared-with").unwrap().payload.as_deref(), Some("NoteShared"));
        let variant = |name| events.get(name).unwrap().variant.as_str();
        assert_eq!(variant("note.created"), "NoteCreatedV2", "the latest version");
        assert_eq!(variant("acme.note.created.v1"), "NoteCreated");
        assert_eq!(variant("note.shared-with"), "NoteShared");
    }

    #[test]
    fn lists_the_events_if_the_name_is_unknown() {
        let events = Events::find(SOURCE).unwrap().unwrap();
        let error = events.get("note.deleted").unwrap_err().to_string();
        assert_eq!(error, "there is no event \"note.deleted\"; the events are: note.created, note.shared-with");
    }

    #[test]
    fn ignores_files_without_events() {
        assert_eq!(Events::find("pub struct Note;").unwrap(), None);
        assert!(Events::find("pub struct {").is_err());
    }
}
