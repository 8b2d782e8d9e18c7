package coop.sahkar.coordinator.control;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.Assignment;
import org.junit.jupiter.api.Test;

class AssignmentsTest {
    @Test
    void oneThatLeavesIsNotKeptForAModelThatIsBrokenWithoutIt() {
        Assignment all =
                Assignment.newBuilder()
                        .setGeneration(7)
                        .addShards(AssignedShard.newBuilder().setModelId("whole"))
                        .addShards(AssignedShard.newBuilder().setModelId("broken"))
                        .build();
        Assignment told = Assignments.ofLeaver(all, "whole"::equals);
        assertThat(told.getGeneration()).isEqualTo(7);
        assertThat(told.getShardsList())
                .extracting(AssignedShard::getModelId)
                .containsExactly("whole");
    }
}
