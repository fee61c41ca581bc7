"""A dialog with a form: what all dialogs that ask for settings before they write share."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.fields import Choice

MARGIN_PX = 3 * theme.GRID_PX
SAMPLES = (
    (mark("Off"), 1),
    (mark("2 x 2 samples for each pixel"), 2),
    (mark("4 x 4 samples for each pixel"), 4),
)


class LookChoice(Choice):
    """Asks whether a file shows what the window shows, or the plain scene.

    Args:
        look: That of the window.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        if not look.is_plain:
            self.addItem(tr("As in the window"), look)
        self.addItem(tr("In its own colours, as a whole"), Look())
        self.setToolTip(tr("View mode, exposure, splat size, crop and background"))
        self.setEnabled(not look.is_plain)

    @property
    def look(self) -> Look:
        """What was chosen."""
        chosen: Look = self.currentData()
        return chosen


class FormDialog(QDialog):
    """Shows a note, a form and two buttons: one that accepts, and Cancel.

    Args:
        parent: The window.
        title: Of the dialog.
    """

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("Cancel"))
        for one in self.buttons.buttons():
            one.setIcon(QIcon())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @property
    def accepting(self) -> QPushButton:
        """The button that accepts the dialog."""
        return self.buttons.button(QDialogButtonBox.StandardButton.Save)

    def fill(
        self, note: QLabel, rows: Sequence[tuple[str, QWidget]], accept: str, field_px: int = 280
    ) -> None:
        """Lay out the dialog.

        Args:
            note: Stands above the form.
            rows: Name and field of each row; the name is the accessible name of the field as well.
            accept: Text of the button that accepts.
            field_px: Least width of the fields.
        """
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignVCenter)
        for name, field in rows:
            field.setMinimumWidth(field_px)
            field.setAccessibleName(name)
            label = QLabel(name)
            label.setBuddy(field)
            label.setMinimumHeight(field.sizeHint().height())  # in line with the text of the field
            form.addRow(label, field)
        self.accepting.setText(accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(2 * theme.GRID_PX)
        column.addWidget(note)
        column.addLayout(form)
        column.addWidget(self.buttons)
