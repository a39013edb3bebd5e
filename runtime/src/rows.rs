//! Rows of tables by a cell: `tag ... for row in flaws where row.model == model` looks at the rows of one model, whatever the table's size.
//!
//! In: a plan. Out: for the columns that such filters ask for, the rows of each text. Other columns and other filters are read row by row.

use std::collections::HashMap;

use crate::plan::*;

/// Rows by the text of a cell, ascending.
type Column = HashMap<String, Vec<u32>>;

/// The columns of a plan that filters ask for.
#[derive(Debug, Default)]
pub struct RowIndex {
    columns: HashMap<(TableId, u32), Column>,
}

impl RowIndex {
    /// For all tags of a plan that was verified.
    pub fn of(plan: &Plan) -> RowIndex {
        let mut index = RowIndex::default();
        let tags = plan.signatures.iter().flat_map(|signature| &signature.tags);
        for each in tags.filter_map(|tag| tag.each.as_ref()) {
            if let Some((column, _)) = asked(each)
                && !index.columns.contains_key(&(each.table, column))
                && let Some(rows) = by_text(&plan.tables[each.table as usize], column)
            {
                index.columns.insert((each.table, column), rows);
            }
        }
        index
    }

    /// The rows of which the cell equals the value, or one of a list's. Absent where that is not known without a look at each row.
    pub fn rows(&self, table: TableId, column: u32, value: &Datum) -> Option<Vec<u32>> {
        let rows = self.columns.get(&(table, column))?;
        let mut found = Vec::new();
        for value in crate::expr::items(value) {
            match value {
                Datum::Text(text) => found.extend(rows.get(text).into_iter().flatten()),
                Datum::Missing => {}
                _ => return None,
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

/// The column that a filter wants to equal a value, and the value, which does not hang on the row.
pub fn asked(each: &EachRow) -> Option<(u32, &Expr)> {
    let mut open: Vec<&Expr> = each.filter.iter().collect();
    while let Some(condition) = open.pop() {
        match condition {
            Expr::And(a, b) => open.extend([&**b, &**a]),
            Expr::Compare(CompareOp::Eq, None, a, b) => {
                for (cell, value) in [(a, b), (b, a)] {
                    if let Expr::Column(row, column) = &**cell
                        && **row == Expr::Var(each.row)
                        && !reads(value, each.row)
                    {
                        return Some((*column, value));
                    }
                }
            }
            _ => {}
        }
    }
    None
}

fn reads(expr: &Expr, var: VarId) -> bool {
    let mut found = *expr == Expr::Var(var);
    expr.each_part(&mut |part| found |= reads(part, var));
    found
}

/// Absent when a cell is neither a text, nor a list of texts, nor missing.
fn by_text(table: &Table, column: u32) -> Option<Column> {
    let mut rows = Column::new();
    for (at, cells) in table.rows.iter().enumerate() {
        for cell in crate::expr::items(&cells[column as usize]) {
            match cell {
                Datum::Text(text) => match rows.get_mut(text) {
                    Some(known) if known.last() == Some(&(at as u32)) => {}
                    Some(known) => known.push(at as u32),
                    None => drop(rows.insert(text.clone(), vec![at as u32])),
                },
                Datum::Missing => {}
                _ => return None,
            }
        }
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use ksig_schema::Type;

    use super::*;

    const ROW: VarId = 7;

    fn equals(a: Expr, b: Expr) -> Expr {
        Expr::Compare(CompareOp::Eq, None, Box::new(a), Box::new(b))
    }

    fn cell(column: u32) -> Expr {
        Expr::Column(Box::new(Expr::Var(ROW)), column)
    }

    fn each(filter: Expr) -> EachRow {
        EachRow { table: 0, row: ROW, filter: Some(filter) }
    }

    #[test]
    fn an_equality_is_found_behind_and_and_on_either_side() {
        let other = equals(cell(2), cell(3));
        let filter = Expr::And(Box::new(other.clone()), Box::new(equals(Expr::Var(1), cell(4))));
        assert_eq!(asked(&each(filter)), Some((4, &Expr::Var(1))));
        assert_eq!(asked(&each(other.clone())), None, "both sides hang on the row");
        assert_eq!(asked(&each(Expr::Or(Box::new(other), Box::new(equals(Expr::Var(1), cell(4)))))), None, "or needs no side of it");
        assert_eq!(asked(&each(Expr::Not(Box::new(equals(Expr::Var(1), cell(4)))))), None);
        assert_eq!(asked(&EachRow { filter: None, ..each(cell(0)) }), None);
    }

    #[test]
    fn rows_are_those_that_a_look_at_each_finds() {
        let text = |text: &str| Datum::Text(text.into());
        let column = |name: &str| crate::plan::Column { name: name.into(), ty: Type::Text, scheme: None };
        let rows = vec![
            vec![text("b"), Datum::Int(1)],
            vec![Datum::List(vec![text("a"), text("b"), text("b")]), Datum::Int(2)],
            vec![Datum::Missing, Datum::Int(3)],
            vec![text("a"), Datum::Int(4)],
        ];
        let table = Table { name: "t".into(), columns: vec![column("model"), column("number")], rows, ..Table::default() };
        assert!(by_text(&table, 1).is_none(), "numbers are compared row by row");
        let index = RowIndex { columns: [((0, 0), by_text(&table, 0).expect("texts"))].into() };
        assert_eq!(index.rows(0, 0, &text("b")), Some(vec![0, 1]));
        assert_eq!(index.rows(0, 0, &Datum::List(vec![text("b"), text("a")])), Some(vec![0, 1, 3]));
        assert_eq!(index.rows(0, 0, &text("c")), Some(vec![]));
        assert_eq!(index.rows(0, 0, &Datum::Missing), Some(vec![]));
        assert_eq!(index.rows(0, 0, &Datum::NotObserved), None);
        assert_eq!(index.rows(0, 1, &text("b")), None);
    }
}
