using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class TransferDescriptionTests
{
    private const string Small = """
        data: glyphs
        lr: 0.1
        epochs: 3
        models:
          a: mlp
          b: {model: cnn, lr: 0.2}

        """;

    [Fact]
    public void Every_key_is_read()
    {
        TransferDescription run = TransferDescription.Parse("""
            data: {name: glyphs, validation: 200}
            epochs: 4
            lr: 0.1
            seed: 5
            models:
              big:
                model: {name: resnet20, width: 0.5, freeze: conv1}
                optimizer: {name: adamw, weight_decay: 0.02}
                schedule: cosine
                steps: 3
                seed: 9
              small: {model: mlp, data: {name: mnist, limit: 100}, batch: 32, loss: {name: cross_entropy, label_smoothing: 0.1}, lr: 0.2, drop_last: true}
              teacher: {model: teacher.onnx, frozen: true}
            transfers:
              - from: {model: big, matrix: linear.weight, rows: [2, 6], rank: 4, start: fresh, alpha: 8}
                to: {model: small, matrix: fc2.weight, rank: usual}
                cycle: 5
                both: true
                back_cycle: 2
                resets_momentum: true
                adapter: {layers: 1, rule: chain, lr: 0.01, optimizer: {name: sgd, momentum: 0.5, weight_decay: 1e-4, clip_norm: none}, schedule: {name: cosine, warmup: 1}}
              - from: teacher:fc.weight
                to: {model: big, matrix: layer3.0.conv1.weight, layout: loralib}
                adapter: {name: mlp, width: 16}
              - {from: teacher, to: small}
            adapter: {name: lpka, layers: 3, heads: 4, unfoldings: rows, mixing: average, form: published, attention_dropout: 0, dropout: 0.3, source_evolves: true, lr: 0.002}
            cycle: 3
            solo: false
            output: runs/t
            """, "run.yml");
        Assert.Equal(["big", "small", "teacher"], run.Models.Select(model => model.Name));
        Assert.Equal((5L, false, "runs/t", 3), (run.Seed, run.Solo, run.Output, run.Cycle));
        var (big, small, teacher) = (run.ModelOf("big"), run.ModelOf("small"), run.ModelOf("teacher"));
        Assert.Equal((3, 9L, "glyphs", 200, 0.1, 4), (big.Steps, big.Run!.Seed, big.Run.Data.Name, big.Run.Data.Validation, big.Run.Rate, big.Run.Epochs));
        Assert.Equal((new AdamW(WeightDecay: 0.02), new CosineRate()), ((AdamW)big.Run.Optimizer, (CosineRate)big.Run.Schedule));
        Assert.Equal(["conv1"], big.Run.Model.Freeze);
        Assert.Equal((1, 5L, "mnist", 100, 0.2, 32, true), (small.Steps, small.Run!.Seed, small.Run.Data.Name, small.Run.Data.Limit, small.Run.Rate, small.Run.Batch, small.Run.DropLast));
        Assert.Equal((new Sgd(0.9), 0.1), ((Sgd)small.Run.Optimizer, small.Run.Loss.LabelSmoothing));
        Assert.Equal((true, "teacher.onnx", 5L), (teacher.Frozen, teacher.Model.Name, teacher.Seed));

        TransferPair first = run.Transfers[0], second = run.Transfers[1], third = run.Transfers[2];
        Assert.Equal(new TransferEnd("big", "linear.weight") { Rows = (2, 6), Rank = 4, Start = FactorStart.Fresh, Alpha = 8 }, Assert.Single(first.From));
        Assert.Equal(new TransferEnd("small", "fc2.weight") { Rank = TransferEnd.UsualRank }, first.To);
        Assert.Equal((5, 2, true), (first.Cycle, first.BackCycle, first.ResetsMomentum));
        Assert.Equal((AdapterRule.ChainRule, 0.01, null, new CosineRate(0, 1)), (first.Adapter.Rule, first.Adapter.Rate, first.Adapter.ClipNorm, (CosineRate)first.Adapter.Schedule));
        Assert.Equal(new Sgd(0.5, false, 1e-4), first.Adapter.Optimizer);
        LowRankAdapter shared = new() { Layers = 1, Heads = 4, Unfoldings = Unfoldings.Rows, Mixing = Mixing.Average, Form = AdapterForm.Published, AttentionDropout = 0, Dropout = 0.3, SourceEvolves = true };
        Assert.Equal(shared, first.Adapter.Adapter);
        Assert.Equal((new TransferEnd("teacher", "fc.weight"), new TransferEnd("big", "layer3.0.conv1.weight") { Layout = ConvolutionLayout.Loralib }), (Assert.Single(second.From), second.To));
        Assert.Equal((new MlpAdapter(16), 3, null, 0.002), ((MlpAdapter)second.Adapter.Adapter, second.Cycle, second.BackCycle, second.Adapter.Rate));
        Assert.Equal((new TransferEnd("teacher"), new TransferEnd("small"), shared with { Layers = 3 }), (Assert.Single(third.From), third.To, (LowRankAdapter)third.Adapter.Adapter));
    }

    [Fact]
    public void Several_sources_are_a_list_of_what_one_may_be()
    {
        TransferDescription run = TransferDescription.Parse(
            Small.Replace("models:", "models:\n  c: mlp", StringComparison.Ordinal) + "transfers: [{from: [a, 'c:x', {model: a, matrix: y, rank: 2}], to: 'b:z', both: true}, {from: ['a:y'], to: b}, {from: 'a:y', to: b}]\n", "run.yml");
        Assert.Equal([new("a"), new("c", "x"), new("a", "y") { Rank = 2 }], run.Transfers[0].From);
        Assert.Equal("a", run.Transfers[0].From[0].ToString());
        Assert.Equal(4, run.Transfers[0].BackCycle);
        Assert.Equal(run.Transfers[1].From.AsEnumerable(), run.Transfers[2].From);

        // A list of one is written as that one.
        string text = TransferYaml.Write(run);
        Assert.Contains("  - from: [{model: a, rank: 0}, {model: c, matrix: x, layout: filters, rank: 0}, {model: a, matrix: y, layout: filters, rank: 2, start: decomposition}]\n    to: {model: b, ", text);
        Assert.Equal(3, text.Split("  - from: {model: a, matrix: y, layout: filters, rank: 0}\n").Length);
    }

    [Fact]
    public void What_is_not_written_has_its_default()
    {
        TransferDescription run = TransferDescription.Parse(Small + "transfers:\n- {from: a, to: 'b:fc.weight'}\n", "run.yml");
        Assert.Equal((true, 0L, null, 4), (run.Solo, run.Seed, run.Output, run.Cycle));
        Assert.Equal((0.1, 0.2), (run.ModelOf("a").Run!.Rate, run.ModelOf("b").Run!.Rate));
        TransferPair pair = Assert.Single(run.Transfers);
        Assert.Equal((4, null, false), (pair.Cycle, pair.BackCycle, pair.ResetsMomentum));
        Assert.Equal(new AdapterDescription(), pair.Adapter);
        Assert.Equal((new LowRankAdapter(), AdapterRule.Change, new AdamW(WeightDecay: 0.01), 50.0, 1e-3, new CosineRate()),
            ((LowRankAdapter)pair.Adapter.Adapter, pair.Adapter.Rule, (AdamW)pair.Adapter.Optimizer, pair.Adapter.ClipNorm, pair.Adapter.Rate, (CosineRate)pair.Adapter.Schedule));
        Assert.Empty(TransferDescription.Parse(Small, "run.yml").Transfers);
    }

    /// <summary>What nobody named has the defaults of the library.</summary>
    [Fact]
    public void The_defaults_are_those_of_a_transfer_in_code()
    {
        AdapterDescription usual = new();
        KnowledgeTransfer inCode = new([], null!, usual.Adapter, 1);
        Assert.Equal((inCode.Rule, inCode.Optimizer, inCode.ClipNorm, inCode.Rate, inCode.Schedule), (usual.Rule, usual.Optimizer, usual.ClipNorm, usual.Rate, usual.Schedule));
    }

    [Theory]
    [InlineData("")]
    [InlineData("adapter: mlp\ncycle: 7\nsolo: false\nseed: -3\noutput: 'a b'")]
    [InlineData("adapter: {optimizer: sgd, schedule: {name: step, every: 2}}\ntransfers: [{from: a, to: b, both: true}]")]
    [InlineData("transfers: [{from: {model: a, matrix: 'it''s: x', rows: [1, 2], rank: usual}, to: 'b:c', adapter: {optimizer: {name: adam, clip_norm: none}, rule: chain}}]")]
    [InlineData("transfers: [{from: [a, 'b:x', {model: a, matrix: 'it''s: x', rows: [1, 2], rank: usual}], to: 'b:c', both: true}, {from: ['a:y'], to: b}]")]
    [InlineData("transfers: [{from: {model: a, rank: 3, start: fresh, alpha: 2}, to: b, back_cycle: 9, both: true, resets_momentum: true, adapter: {name: mlp, width: 3}}]")]
    public void What_is_written_reads_as_the_same_run(string more)
    {
        TransferDescription run = TransferDescription.Parse(Small + more + "\n", "run.yml");
        string text = TransferYaml.Write(run);
        TransferDescription again = TransferDescription.Parse(text, "transfer.yaml");
        Assert.Equal(text, TransferYaml.Write(again));
        static TransferPair Settled(TransferPair pair) => pair with { From = [], Place = null, Adapter = pair.Adapter with { Damping = pair.Adapter.Damping ?? pair.Adapter.Adapter.UsualDamping, TrustRegion = pair.Adapter.TrustRegion ?? pair.Adapter.Adapter.UsualTrustRegion } };
        Assert.Equal(run.Transfers.Select(Settled), again.Transfers.Select(Settled));
        Assert.Equal(run.Transfers.Select(pair => pair.From.AsEnumerable()), again.Transfers.Select(pair => pair.From.AsEnumerable()));
        Assert.Equal((run.Seed, run.Solo, run.Output), (again.Seed, again.Solo, again.Output));
        Assert.DoesNotContain("output", TransferYaml.Write(run, withOutput: false));
    }

    /// <summary>Of the rule chain a damping has no effect: none is written, and one that is said of all transfers is not that of a transfer with this rule.</summary>
    [Fact]
    public void The_rule_chain_has_no_damping()
    {
        TransferDescription run = TransferDescription.Parse(Small + "adapter: {damping: 0.3}\ntransfers: [{from: a, to: b, adapter: {rule: chain}}, {from: b, to: a}]\n", "run.yml");
        Assert.Equal((null, 0.3), (run.Transfers[0].Adapter.Damping, run.Transfers[1].Adapter.Damping));
        string[] adapters = [.. TransferYaml.Write(run).Split('\n').Where(line => line.Contains("rule: "))];
        Assert.DoesNotContain("damping", adapters[0]);
        Assert.Contains("rule: change, damping: 0.3", adapters[1]);
    }

    [Fact]
    public void A_frozen_network_is_written_with_what_it_is()
    {
        string text = TransferYaml.Write(TransferDescription.Parse("data: glyphs\nlr: 0.1\nepochs: 3\nseed: 4\nmodels: {a: mlp, t: {model: {name: mlp, weights: w.npz}, frozen: true}}\n", "run.yml"));
        TransferModel teacher = TransferDescription.Parse(text, "transfer.yaml").ModelOf("t");
        Assert.Equal((true, "mlp", "w.npz", 4L), (teacher.Frozen, teacher.Model.Name, teacher.Model.Weights, teacher.Seed));
    }

    [Theory]
    [InlineData("modles: {}", "run.yml:7:1: a transfer run has no key 'modles' (did you mean 'models'?)")]
    [InlineData("model: mlp", "a transfer run has no key 'model' (did you mean 'models'?)")]
    [InlineData("cycle: 0", "run.yml:7:8: expected a number of rounds from 1 on, found '0'")]
    [InlineData("solo: maybe", "expected true or false, found 'maybe'")]
    [InlineData("adapter: lora", "run.yml:7:10: there is no adapter 'lora' here; known are lpka, mlp")]
    [InlineData("adapter: {name: mlp, heads: 2}", "the adapter mlp has no key 'heads'")]
    [InlineData("adapter: {width: 2}", "the adapter lpka has no key 'width'")]
    [InlineData("adapter: {layers: 0}", "expected a number of layers from 1 on, found '0'")]
    [InlineData("adapter: {heads: -1}", "expected a number of heads from 1 on, found '-1'")]
    [InlineData("adapter: {name: mlp, width: 0}", "expected a number of units from 1 on, found '0'")]
    [InlineData("adapter: {dropout: 1}", "expected a share from 0 up to, without, 1, found '1'")]
    [InlineData("adapter: {attention_dropout: 2}", "expected a share from 0 up to, without, 1, found '2'")]
    [InlineData("adapter: {unfoldings: row}", "there is no word for unfoldings 'row' here (did you mean 'rows'?); known are all, rows")]
    [InlineData("adapter: {mixing: mean}", "there is no mixing 'mean' here; known are average, learned")]
    [InlineData("adapter: {form: residul}", "there is no form 'residul' here (did you mean 'residual'?)")]
    [InlineData("adapter: {source_evolves: 3}", "expected true or false, found '3'")]
    [InlineData("adapter: {rule: chian}", "there is no rule 'chian' here (did you mean 'chain'?)")]
    [InlineData("adapter: {rule: chain, damping: 0.3}", "run.yml:7:33: 'damping' is about what rule: change learns from, and the rule here is chain; leave it out")]
    [InlineData("adapter: {rule: chain}\ntransfers: [{from: a, to: b, adapter: {damping: 0}}]", "run.yml:8:49: 'damping' is about what rule: change learns from")]
    [InlineData("adapter: {lr: 0}", "expected a learning rate above 0, found '0'")]
    [InlineData("adapter: {optimizer: {name: adam, groups: []}}", "the optimizer adam has no key 'groups'")]
    [InlineData("adapter: {optimizer: {name: adam, clip_norm: 0}}", "expected a number above 0, or none, found '0'")]
    [InlineData("adapter: {schedule: sine}", "there is no schedule 'sine' here; known are constant")]
    [InlineData("transfers: []", "run.yml:7:12: expected transfers, a list of {from, to, cycle}, found an empty list")]
    [InlineData("transfers: [{to: b}]", "'from' is missing here")]
    [InlineData("transfers: [{from: a}]", "'to' is missing here")]
    [InlineData("transfers: [{from: a, to: b, cicle: 2}]", "a transfer has no key 'cicle' (did you mean 'cycle'?)")]
    [InlineData("transfers: [{from: a, to: b, cycle: 1.5}]", "expected a number of rounds from 1 on, found '1.5'")]
    [InlineData("transfers: [{from: a, to: b, back_cycle: 2}]", "run.yml:7:42: back_cycle is about the transfer back, which both: true asks for")]
    [InlineData("transfers: [{from: x, to: b}]", "run.yml:7:20: there is no model 'x' here; known are a, b")]
    [InlineData("transfers: [{from: a, to: 'c:fc.weight'}]", "there is no model 'c' here")]
    [InlineData("transfers: [{from: a, to: []}]", "expected a matrix: MODEL:MATRIX, a model alone, or a mapping {model, matrix, ...}, found an empty list")]
    [InlineData("transfers: [{from: [], to: b}]", "run.yml:7:20: expected a matrix, or a list of one or more, found an empty list")]
    [InlineData("transfers: [{from: [a, [b]], to: b}]", "run.yml:7:24: expected a matrix: MODEL:MATRIX, a model alone, or a mapping {model, matrix, ...}, found a list")]
    [InlineData("transfers: [{from: [a, x], to: b}]", "run.yml:7:24: there is no model 'x' here; known are a, b")]
    [InlineData("transfers: [{from: ['a:x', 'a:y', 'a:x'], to: b}]", "run.yml:7:35: 'a:x' stands in this list already; name each source once")]
    [InlineData("transfers: [{from: [a, {model: a}], to: b}]", "run.yml:7:24: 'a' stands in this list already; name each source once")]
    [InlineData("transfers: [{from: ['a:x', b], to: 'b:y', both: true}]", "within one model, both: true needs the names of both matrices")]
    [InlineData("transfers: [{from: ['a:x', 'b:y'], to: 'b:z', adapter: mlp}]", "run.yml:7:20: the adapter mlp learns from one matrix, found 2; lpka learns from several")]
    [InlineData("adapter: mlp\ntransfers: [{from: ['a:x', 'b:y'], to: 'b:z'}]", "run.yml:8:20: the adapter mlp learns from one matrix, found 2")]
    [InlineData("transfers: [{from: {matrix: x}, to: b}]", "'model' is missing here")]
    [InlineData("transfers: [{from: {model: a, name: x}, to: b}]", "a matrix has no key 'name'")]
    [InlineData("transfers: [{from: {model: a, rows: [0, 2]}, to: b}]", "'rows' is about a matrix, and none is named here")]
    [InlineData("transfers: [{from: {model: a, layout: loralib}, to: b}]", "'layout' is about a matrix, and none is named here")]
    [InlineData("transfers: [{from: {model: a, matrix: x, rows: [2, 2]}, to: b}]", "expected rows, a list of the first and the one after the last: [0, 64], found 2, 2")]
    [InlineData("transfers: [{from: {model: a, matrix: x, rows: 3}, to: b}]", "expected rows, a list of the first and the one after the last: [0, 64], found '3'")]
    [InlineData("transfers: [{from: {model: a, matrix: x, layout: rows}, to: b}]", "there is no layout 'rows' here; known are filters, loralib")]
    [InlineData("transfers: [{from: {model: a, rank: -1}, to: b}]", "expected a rank from 0 on, or usual for an eighth of the smaller size, found '-1'")]
    [InlineData("transfers: [{from: {model: a, start: fresh}, to: b}]", "'start' is about factors, which a rank above 0 makes")]
    [InlineData("transfers: [{from: {model: a, rank: 2, start: fresch}, to: b}]", "there is no start 'fresch' here (did you mean 'fresh'?)")]
    [InlineData("transfers: [{from: {model: a, rank: 2, alpha: 0}, to: b}]", "expected a number above 0, found '0'")]
    [InlineData("transfers: [{from: a, to: a, both: true}]", "within one model, both: true needs the names of both matrices")]
    [InlineData("transfers: [{from: a, to: a}]", "the model 'b' takes part in no transfer; leave it out, amalgam train trains one by itself")]
    public void Mistakes_are_told_with_their_place(string more, string phrase) => Refuses(Small + more + "\n", phrase);

    [Theory]
    [InlineData("[a, b]", "expected models, a mapping from a name to what it is, found a list")]
    [InlineData("{}", "expected models, a mapping from a name to what it is, found an empty mapping")]
    [InlineData("{a: []}", "run.yml:4:13: expected a model, or a mapping with model and what training needs, found an empty list")]
    [InlineData("{a: {data: glyphs}}", "run.yml:4:13: 'model' is missing here")]
    [InlineData("{a: {model: mlp, epoch: 3}}", "an entry of models has no key 'epoch' (did you mean 'epochs'?)")]
    [InlineData("{a: {model: mlp, output: x}}", "an entry of models has no key 'output'")]
    [InlineData("{a: {model: mlp, steps: 0}}", "expected a number of batches from 1 on, found '0'")]
    [InlineData("{a: {model: mlp, frozen: true, epochs: 3}, b: mlp}", "run.yml:4:48: the model 'a' is frozen, so 'epochs' has no effect; leave it out")]
    [InlineData("{a: {model: mlp, epochs: 0}}", "run.yml:4:34: the model 'a' is trained for 0 epochs, so nothing is learned; frozen: true is for a trained network")]
    [InlineData("{a: {model: mlp, frozen: true}}", "all models are frozen, so nothing is trained")]
    [InlineData("{a/b: mlp}", "a folder gets the name of each model, so it has letters, digits, '-', '_' and '.' and neither begins nor ends with '.', found 'a/b'")]
    [InlineData("{'..': mlp}", "found '..'")]
    [InlineData("{'': mlp}", "found ''")]
    [InlineData("{Solo: mlp}", "solo is the folder of the models that are trained by themselves; name this one otherwise")]
    [InlineData("{a: mlp, t: {model: mlp, frozen: true}}\ntransfers: [{from: a, to: t}]", "'t' is frozen, so nothing can be written to it")]
    [InlineData("{a: mlp, t: {model: mlp, frozen: true}}\ntransfers: [{from: t, to: a, both: true}]", "'t' is frozen, so there is no transfer back to it")]
    [InlineData("{a: mlp, b: mlp, t: {model: mlp, frozen: true}}\ntransfers: [{from: [b, t], to: a, both: true}]", "'t' is frozen, so there is no transfer back to it")]
    [InlineData("{a: mlp, b: mlp, c: mlp, d: mlp}\ntransfers: [{from: [a, b], to: c}]", "the model 'd' takes part in no transfer")]
    public void Models_that_cannot_be_are_told_with_their_place(string models, string phrase) => Refuses($"data: glyphs\nlr: 0.1\nepochs: 3\nmodels: {models}\n", phrase);

    [Fact]
    public void A_model_that_lacks_what_training_needs_is_named_by_its_place()
    {
        Refuses("data: glyphs\nlr: 0.1\nepochs: 0\nmodels:\n  a: mlp\n", "run.yml:3:9: the model 'a' is trained for 0 epochs");
        Refuses("data: glyphs\nlr: 0.1\nmodels:\n  a: mlp\n", "run.yml:4:6: 'epochs' is missing here");
        Refuses("- a\n", "expected a transfer run, a mapping with models, transfers and what training needs, found a list");
        Refuses("data: glyphs\n", "'models' is missing here");
        Assert.Contains("does not exist", Assert.Throws<FileNotFoundException>(() => TransferDescription.Read("there-is-none.yml")).Message);
    }

    [Fact]
    public void Damaged_text_is_refused_or_read_and_nothing_else() => Property.Holds(gen =>
    {
        char[] text = (Small + "transfers: [{from: [{model: a, rank: 2}, 'b:x'], to: b, both: true, adapter: {name: mlp}}]\nseed: 3\n").ToCharArray();
        for (int i = gen.Random.Next(1, 5); i > 0; i--) text[gen.Random.Next(text.Length)] = "{}[]:,'\" \n-ax0"[gen.Random.Next(14)];
        try
        {
            TransferDescription.Parse(new(text), "run.yml");
        }
        catch (InvalidDataException e)
        {
            Assert.StartsWith("run.yml", e.Message);
        }
    });

    private static void Refuses(string text, string phrase) => Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => TransferDescription.Parse(text, "run.yml")).Message);
}
