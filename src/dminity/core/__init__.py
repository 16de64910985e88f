"""What every part stands on: classes, errors, files, parameters, stages."""
