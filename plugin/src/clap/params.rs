//! Parameters, and pages of them for controllers. A host keeps a row's position times its steps.

use std::ffi::CStr;
use std::fmt::Write as _;

use clack_extensions::params::{
    ParamDisplayWriter, ParamInfo, ParamInfoFlags, ParamInfoWriter, PluginMainThreadParams,
};
use clack_extensions::remote_controls::{
    PluginRemoteControlsImpl, RemoteControlsPage, RemoteControlsPageWriter,
};
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::utils::{ClapId, Cookie};
use nice_plug::params::ParamFlags;

use super::plugin::MainThread;
use crate::parameters::Parameters;
use crate::shield::shielded;
use crate::table::Table;

/// Rows on a page for controllers.
const PAGE: usize = 8;

/// One page for a controller.
struct Page {
    /// The module's name.
    section: &'static str,
    name: String,
    rows: Vec<usize>,
}

/// Pages for controllers: each module's settings, its bypass and its mix, and the page's number where a module
/// has several.
fn pages(parameters: &Parameters) -> Vec<Page> {
    let mut pages = Vec::new();
    for (module, kind) in parameters.catalog().kinds().iter().enumerate() {
        let first = parameters.first_row(module);
        let settings = (first + 3..).take(kind.params.len());
        let rows: Vec<_> = settings.chain([first + 1, first + 2]).collect();
        let parts = rows.chunks(PAGE);
        let is_alone = parts.len() == 1;
        pages.extend(parts.enumerate().map(|(at, rows)| Page {
            section: kind.name,
            name: if is_alone {
                kind.name.to_owned()
            } else {
                format!("{} {}", kind.name, at + 1)
            },
            rows: rows.to_vec(),
        }));
    }
    pages
}

/// What a host may do with a row.
fn flags(table: &Table, row: u16) -> ParamInfoFlags {
    let of_row = table.flags(row);
    let mut flags = ParamInfoFlags::empty();
    flags.set(
        ParamInfoFlags::IS_AUTOMATABLE | ParamInfoFlags::IS_MODULATABLE,
        !of_row.contains(ParamFlags::NON_AUTOMATABLE),
    );
    flags.set(
        ParamInfoFlags::IS_BYPASS,
        of_row.contains(ParamFlags::BYPASS),
    );
    flags.set(ParamInfoFlags::IS_STEPPED, table.is_stepped(row));
    flags
}

impl PluginMainThreadParams for MainThread<'_> {
    fn count(&self) -> u32 {
        self.link.table().len() as u32
    }

    fn get_info(&self, index: u32, info: &mut ParamInfoWriter) {
        let table = self.link.table();
        let rows = table.parameters().rows();
        let Some(row) = rows.get(index as usize) else {
            return;
        };
        let at = index as u16;
        let Some(id) = ClapId::from_raw(table.id(at)) else {
            return;
        };
        info.set(&ParamInfo {
            id,
            flags: flags(table, at),
            cookie: Cookie::empty(),
            name: row.name.as_bytes(),
            module: row.group.as_bytes(),
            min_value: 0.0,
            max_value: table.steps(at),
            default_value: f64::from(table.default(at)) * table.steps(at),
        });
    }

    fn get_value(&self, id: ClapId) -> Option<f64> {
        let table = self.link.table();
        let row = table.row(id.get())?;
        Some(f64::from(table.position(row)) * table.steps(row))
    }

    fn value_to_text(
        &self,
        id: ClapId,
        value: f64,
        writer: &mut ParamDisplayWriter,
    ) -> std::fmt::Result {
        let table = self.link.table();
        let row = table.row(id.get()).ok_or(std::fmt::Error)?;
        let position = (value / table.steps(row)) as f32;
        let text = shielded(|| table.text(row, position)).ok_or(std::fmt::Error)?;
        writer.write_str(&text)
    }

    fn text_to_value(&self, id: ClapId, text: &CStr) -> Option<f64> {
        let table = self.link.table();
        let row = table.row(id.get())?;
        let text = text.to_str().ok()?;
        let position = shielded(|| table.position_of(row, text)).flatten()?;
        Some(f64::from(position) * table.steps(row))
    }

    fn flush(&self, input: &InputEvents, output: &mut OutputEvents) {
        if let Some(seat) = &mut *self.seat.borrow_mut() {
            seat.flush(&self.link, input, output);
        }
    }
}

impl PluginRemoteControlsImpl for MainThread<'_> {
    fn count(&self) -> u32 {
        pages(self.link.table().parameters()).len() as u32
    }

    fn get(&self, index: u32, writer: &mut RemoteControlsPageWriter) {
        let table = self.link.table();
        let pages = pages(table.parameters());
        let Some(page) = pages.get(index as usize) else {
            return;
        };
        let mut param_ids = [None; PAGE];
        for (id, row) in param_ids.iter_mut().zip(&page.rows) {
            *id = ClapId::from_raw(table.id(*row as u16));
        }
        writer.set(&RemoteControlsPage {
            section_name: page.section.as_bytes(),
            page_id: ClapId::new(index),
            page_name: page.name.as_bytes(),
            param_ids,
            is_for_preset: false,
        });
    }
}
