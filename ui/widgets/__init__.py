"""What pages are put together from: controls, the job panel, figures, pictures, the row of downloads."""
