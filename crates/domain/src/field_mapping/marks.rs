//! Reading what the exam came to: score, bounds, grade, passed.

use std::borrow::Cow;

use super::{Column, Decimal, Field, MappingError, Marks, reading::Reading};
use crate::{Reason, Score, source::ScoreAboveMaximum};

impl<'a> Reading<'a, '_> {
    pub(super) fn marks(&self) -> Result<Marks<'a>, MappingError> {
        let exam_score = self.score(self.mapping.exam_score.as_ref())?;
        let min_score = self.score(self.mapping.min_score.as_ref())?;
        let max_score = self.score(self.mapping.max_score.as_ref())?;
        let passed = self.mapping.passed.as_ref();
        let exact = |score: Option<(Score, bool)>| score.map(|(score, _)| score);
        let marks = Marks {
            exam_score: exact(exam_score),
            min_score: exact(min_score),
            max_score: exact(max_score),
            rounded: [exam_score, min_score, max_score].into_iter().flatten().any(|(_, rounded)| rounded),
            grade: self.readable(self.column(self.mapping.grade.as_ref()))?,
            passed: passed.map_or(Ok(None), |words| self.readable(words.read(self.record)))?,
        };
        self.readable(self.check_bounds(&marks))?;
        let is_marked = marks.exam_score.is_some() || marks.grade.is_some() || marks.passed.is_some();
        if !is_marked && !self.clears() {
            self.require(None::<()>, || self.no_mark())?;
        }
        Ok(marks)
    }

    fn score(&self, decimal: Option<&Decimal>) -> Result<Option<(Score, bool)>, MappingError> {
        decimal.map_or(Ok(None), |decimal| self.readable(decimal.read(self.record)))
    }

    fn check_bounds(&self, marks: &Marks<'_>) -> Result<(), MappingError> {
        let is_above = |score: Option<Score>| matches!((score, marks.max_score), (Some(score), Some(max)) if score > max);
        if is_above(marks.min_score) {
            let explanation = "it is greater than the maximum";
            return Err(out_of_bounds(Field::MinScore, self.mapping.min_score.as_ref(), explanation));
        }
        match self.source.score_above_maximum {
            ScoreAboveMaximum::Refuse if is_above(marks.exam_score) => {
                let explanation = "it is above the maximum, which this source refuses";
                Err(out_of_bounds(Field::ExamScore, self.mapping.exam_score.as_ref(), explanation))
            }
            ScoreAboveMaximum::Refuse | ScoreAboveMaximum::Allow => Ok(()),
        }
    }

    /// An empty score clears only where the record has the field: one that was renamed must not clear everything.
    fn clears(&self) -> bool {
        self.source.empty_score_clears && self.mark_columns().any(|column| column.occurs(self.record))
    }

    fn mark_columns(&self) -> impl Iterator<Item = &'a Column> {
        let mapping = self.mapping;
        let score = mapping.exam_score.as_ref().and_then(Decimal::column);
        let columns = [score, mapping.grade.as_ref(), mapping.passed.as_ref().map(super::Words::column)];
        columns.into_iter().flatten()
    }

    fn no_mark(&self) -> MappingError {
        let field = self.mark_columns().next().map_or(Field::ExamScore, |column| column.field);
        let explanation = Cow::Borrowed("the record has neither a score nor a grade nor whether it was passed");
        MappingError {
            explanation,
            ..MappingError::missing(field, self.mark_columns().flat_map(Column::names))
        }
    }
}

/// A bound that another number of the record breaks.
fn out_of_bounds(field: Field, decimal: Option<&Decimal>, explanation: &'static str) -> MappingError {
    let column = decimal.and_then(Decimal::column);
    MappingError {
        reason: Reason::InvalidField,
        field: Some(field),
        source_field: column.map(|column| column.names().collect::<Vec<_>>().join(", ")),
        explanation: Cow::Borrowed(explanation),
    }
}
