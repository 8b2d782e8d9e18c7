package coop.sahkar.worker.agent;

import coop.sahkar.worker.engine.StageEngine;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.store.ShardKey;

/**
 * A head that generations can be run from.
 *
 * @param key model and blocks
 * @param engine its stage at work
 * @param vocabulary the model's tokens
 * @param chatTemplate how the model wants conversations written
 * @param contextLength positions one session may have here
 */
record HostedHead(
        ShardKey key,
        StageEngine engine,
        Vocabulary vocabulary,
        ChatTemplate chatTemplate,
        int contextLength) {}
