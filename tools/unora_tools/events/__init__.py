"""The reference of events, written from the descriptors: AsyncAPI for programs, pages for readers."""
