"""One run of training: from its start, or from where it was interrupted, to its best weights."""

import logging
import math
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import lightning as L
import torch
from dvclive.live import Live
from lightning.pytorch.strategies import DDPStrategy
from yolox.models import YoloxModule

from dminity.core.child import end_with_parent
from dminity.core.files import exclusive
from dminity.core.memory import keep_freed_memory
from dminity.core.progress import note
from dminity.data import voc
from dminity.loader.failures import killed_loaders_named
from dminity.loader.training_photos import LabeledPhotos, TrainingPhotos
from dminity.loader.validation_photos import ValidationPhotos
from dminity.training import hardware, launch
from dminity.training.batch_norm import synchronize
from dminity.training.best_weights import BestWeights
from dminity.training.checkpoints import CHECKPOINT, SafeCheckpoints
from dminity.training.coverage import counted, note_few_steps, note_gaps
from dminity.training.first_sign import FirstSign
from dminity.training.loop import DetectorTraining
from dminity.training.processes import UnevenBatch, check_share
from dminity.training.prospects import Prospects
from dminity.training.recording import Recording
from dminity.training.schedule import Schedule
from dminity.training.settings import TrainSettings
from dminity.training.signals import EndOnSignal, handlers_restored
from dminity.training.validation import Validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOCK = "lock"
# Loader workers outlive a training that was killed, and hold its lock, for some seconds.
LOCK_PATIENCE_S = 15


@contextmanager
def trained(
    network: YoloxModule,
    settings: TrainSettings,
    variant: str,
    folder: Path,
    classes: tuple[str, ...],
    run_folder: Path,
    tensorboard: Path,
) -> Iterator[dict[str, torch.Tensor] | None]:
    """Train a network on a VOC folder; yield the averaged weights of its best epoch.

    Args:
        network: what to start from.
        settings: how to train.
        variant: yolox_nano, yolox_tiny, yolox_s, _m, _l or _x.
        folder: the VOC folder.
        classes: the names of its classes, in the network's order.
        run_folder: a folder of this run's own, named by its fingerprint. A checkpoint in it is
            resumed; afterwards `live` and `pictures` in it are what there is to show. No other
            process gets in before the block ends.
        tensorboard: where the logs of runs are kept, each in a folder of its own.

    Yields:
        The state of the network, or None in all processes but the first.

    Raises:
        Occupied, UnevenBatch, NoSuchDevice, TrainingDiverged, OutOfMemory, NotSaved,
        ForeignCheckpoint, NotStarted, ProcessLost, NotCompiled, NoSharedMemory, LoaderEnded,
        BadModelFile.
    """
    if settings.compile:
        hardware.refuse_without_compiler()
    processes = hardware.processes_per_node(settings.devices) * settings.num_nodes
    if processes > 1 and hardware.accelerator() == "cpu":
        synchronize(network)
    trainer = make_trainer(settings, variant, processes)
    checkpoint = run_folder / CHECKPOINT
    best = BestWeights()
    with ExitStack() as stack:
        if trainer.is_global_zero:
            stack.enter_context(_in_folder(run_folder))
        else:
            end_with_parent()
        resumes = checkpoint.exists()
        training = make_training(
            network, settings, variant, folder, classes, run_folder.name, resumes
        )
        _check_shares(settings, training, processes)
        if settings.pretrained != "none" and not resumes:
            # Trained weights are evaluated before the first step.
            trainer.num_sanity_val_steps = math.inf
        if trainer.is_global_zero:
            _note_gaps(training, folder)
        live, writer = stack.enter_context(_logs(run_folder, tensorboard, settings, trainer))
        recording = Recording(live, writer, checkpoint, run_folder / "pictures")
        # Recording comes last: it saves what the others have to keep.
        callbacks = [EndOnSignal(), FirstSign(), best, Prospects(), recording]
        trainer.callbacks += callbacks  # type: ignore[attr-defined]
        with (
            handlers_restored(),
            launch.meeting(trainer),
            launch.one_speaks(trainer),
            killed_loaders_named(),
            hardware.compiler(),
        ):
            trainer.fit(training, ckpt_path=checkpoint if resumes else None, weights_only=True)
        if best.ap == 0:
            note("validation found nothing in any epoch: the weights are those of the last one")
        yield best.weights if trainer.is_global_zero else None


@contextmanager
def _logs(
    run_folder: Path, tensorboard: Path, settings: TrainSettings, trainer: L.Trainer
) -> Iterator[tuple[Live | None, "SummaryWriter | None"]]:
    """DVCLive, and TensorBoard if it is wanted; none but in the first process."""
    if not trainer.is_global_zero:
        yield None, None
        return
    (run_folder / "pictures").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        live = stack.enter_context(Live(str(run_folder / "live"), save_dvc_exp=False, dvcyaml=None))
        log = tensorboard / run_folder.name
        yield live, stack.enter_context(_fresh_log(log)) if settings.tensorboard else None


@contextmanager
def _fresh_log(folder: Path) -> Iterator["SummaryWriter"]:
    """TensorBoard's log of a run; after an interruption all rows are written again."""
    # It takes a second to import, and is seldom wanted.
    from torch.utils.tensorboard import SummaryWriter

    shutil.rmtree(folder, ignore_errors=True)
    with closing(SummaryWriter(str(folder))) as writer:
        yield writer


@contextmanager
def _in_folder(run_folder: Path) -> Iterator[None]:
    """Make the folder of a run and keep others out; remove it if the first epoch does not end.

    Raises:
        Occupied: if another process is in it: of a `dvc repro` that was killed, for example.
    """
    with exclusive(run_folder, run_folder / LOCK, LOCK_PATIENCE_S):
        try:
            yield
        finally:
            if not (run_folder / CHECKPOINT).exists():
                shutil.rmtree(run_folder, ignore_errors=True)


def _note_gaps(training: DetectorTraining, folder: Path) -> None:
    """Say what the photos cannot teach or tell, before time is spent on them."""
    photos, classes = training.photos.photos, training.detector.classes
    boxes = {
        "train": counted(photos.annotations),
        "validation": counted(training.validation.photos.annotations),
    }
    if voc.split_path(folder, "test").exists():
        try:
            boxes["test"] = counted(voc.read_split(folder, "test", classes))
        # Training needs none of it.
        except voc.BadAnnotation as error:
            note(f"the test photos cannot be evaluated: {error}")
    note_gaps(boxes, classes)
    note_few_steps(len(photos), training.loaders.steps())


def _check_shares(settings: TrainSettings, training: DetectorTraining, processes: int) -> None:
    """Refuse what does not divide by the number of processes, or is too little for all of them.

    Raises:
        UnevenBatch: naming the parameter.
    """
    if settings.batch_size != "auto":
        check_share("train.batch_size", settings.batch_size, processes)
    for epoch, size in settings.batch_schedule.items():
        check_share(f"train.batch_schedule.{epoch}", size, processes)
    fewest = min(len(training.photos), len(training.validation.photos))
    if fewest < processes:
        raise UnevenBatch(
            f"a split has {fewest} photos for {processes} processes; lower train.devices"
        )


def make_training(
    network: YoloxModule,
    settings: TrainSettings,
    variant: str,
    folder: Path,
    classes: tuple[str, ...],
    fingerprint: str,
    resumes: bool,
) -> DetectorTraining:
    """The module that Lightning trains."""
    input_size = (settings.input_size, settings.input_size)
    unverified = settings.unverified
    labeled = LabeledPhotos(folder, "train", classes, input_size, unverified)
    photos = TrainingPhotos(labeled, settings, Schedule(settings).plain_from)
    seen = ValidationPhotos(folder, "validation", classes, input_size, unverified)
    validation = Validation(seen)
    return DetectorTraining(network, settings, variant, photos, validation, fingerprint, resumes)


def make_trainer(settings: TrainSettings, variant: str, processes: int) -> L.Trainer:
    """Lightning's engine for the devices that are asked for."""
    kind = hardware.accelerator()
    if kind == "cpu":
        keep_freed_memory()
    # What Lightning has to say here is advertising, a choice of the user's, and PyTorch's affair.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*")
    warnings.filterwarnings("ignore", ".*find_unused_parameters=True was specified.*")
    several = processes > 1
    return L.Trainer(
        accelerator=kind,
        devices=processes // settings.num_nodes,
        num_nodes=settings.num_nodes,
        strategy=_parallel_strategy() if several else "auto",
        sync_batchnorm=several and kind == "cuda",
        precision=hardware.lightning_precision(settings.precision, variant),
        # On a GPU not every operation has a deterministic form: those are taken that have.
        deterministic="warn" if kind == "cuda" else None,
        max_epochs=settings.epochs,
        num_sanity_val_steps=0,
        # The batches of each epoch are other ones, and may be of another size.
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        # Elsewhere, Recording says in a line how each epoch went.
        enable_progress_bar=sys.stderr.isatty(),
        plugins=[SafeCheckpoints(), launch.cluster(processes, settings.num_nodes)],
    )


def _parallel_strategy() -> DDPStrategy:
    """One process for each device, all with the same weights."""
    # Batch norm is synchronized, so that no statistics have to be sent round. A frozen backbone is
    # unused, and looking for what is unused keeps PyTorch from ordering gradients anew after the
    # first step: with three processes and more, a run that is resumed would add them up otherwise.
    return DDPStrategy(forward_sync_buffers=False, find_unused_parameters=True)
