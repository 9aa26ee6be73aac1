//! What is deployed: the template, and the events that its functions answer.

mod template;
