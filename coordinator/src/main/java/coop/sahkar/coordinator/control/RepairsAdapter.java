package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.routing.RepairLog;
import coop.sahkar.proto.v1.RepairStage;
import coop.sahkar.proto.v1.RepairStatus;
import coop.sahkar.proto.v1.RepairsStatus;

/** Repairs in words of the wire. */
final class RepairsAdapter {
    private RepairsAdapter() {}

    static RepairsStatus write(RepairLog.View view) {
        return RepairsStatus.newBuilder()
                .setRunning(view.running())
                .setFinished(view.finished())
                .setFailed(view.failed())
                .addAllLast(view.last().stream().map(RepairsAdapter::write).toList())
                .build();
    }

    private static RepairStatus write(RepairLog.Entry entry) {
        return RepairStatus.newBuilder()
                .setAgoMillis(entry.agoMillis())
                .setModelId(entry.modelId())
                .setEpoch(entry.epoch())
                .addAllLostWorkers(entry.lost())
                .setStage(stage(entry.stage()))
                .setCause(entry.cause())
                .build();
    }

    private static RepairStage stage(RepairLog.Stage stage) {
        return switch (stage) {
            case RUNNING -> RepairStage.REPAIR_STAGE_RUNNING;
            case FINISHED -> RepairStage.REPAIR_STAGE_FINISHED;
            case FAILED -> RepairStage.REPAIR_STAGE_FAILED;
        };
    }
}
