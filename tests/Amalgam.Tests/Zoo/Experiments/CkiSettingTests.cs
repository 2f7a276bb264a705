using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Experiments;

public class CkiSettingTests
{
    private const int Length = 8, Items = 40;
    private static readonly string[] Nouns = ["film", "plot", "cast", "song", "end"];

    [Fact]
    public void Table_2_splices_matrices_and_leaves_every_vector_to_model_A()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = new() { Table = 2, Dataset = "opinions", Seeds = 1, Starts = [CkiStart.Other], Folder = folder.Path };
        Subject subject = Opinions(options);
        CkiResult result = CkiExperiment.Run(options, subject);
        Assert.Equal(
            [
                "model A", "model B", "pruning (classifier)", "pruning (all matrices)", "ensemble", "averaging (classifier)", "averaging (all matrices)", "averaging (all)", "CKI, closed form (classifier)",
                "CKI, closed form (all matrices)", "CKI, splice trained (classifier)", "CKI, splice trained (all matrices)", "CKI, all trained (classifier)", "model A trained on",
            ],
            result.Rows.Select(row => row.Method));
        Assert.False(result.Paper.Any());

        StaticPair pair = new(subject, new TrainedNetworks(subject, options), CkiStart.Other, 1);
        Scope all = subject.Scopes[1];
        string[] matrices = [.. pair.A.Parameters.Where(p => p.Value.Shape.Rank > 1).Select(p => p.Key)];
        Assert.Equal(matrices, pair.Learn(all, CkiSplice.Soft, TrainScope.Splice).Integration.Spliced);
        Merges merges = Merges.Of(subject, pair, options);
        foreach (Graph made in new[] { pair.Integrate(all, CkiSplice.Hard, TrainScope.Splice).Network, merges.Averaging(all).Make()[0], merges.ClosedForm(all).First().Make()[0] })
            Assert.All(made.Parameters.Where(p => p.Value.Shape.Rank < 2), p => Assert.Equal(pair.A.Parameters[p.Key].Value!.Span.ToArray(), p.Value.Value!.Span.ToArray()));
        Assert.Contains(merges.Averaging().Make()[0].Parameters, p => p.Value.Shape.Rank < 2 && !p.Value.Value!.Span.SequenceEqual(pair.A.Parameters[p.Key].Value!.Span));
    }

    [Fact]
    public void A_published_network_is_model_A_of_every_pair()
    {
        using TemporaryFolder folder = new();
        CkiOptions options = new() { Table = 1, Dataset = "circles", Published = true, Seeds = 2, Starts = [CkiStart.Other], Folder = folder["out"], Epochs = 1, MoreEpochs = 1 };
        Subject subject = Circles(options, folder["published.safetensors"]);
        CkiResult result = CkiExperiment.Run(options, subject);
        Graph published = subject.Read(folder["published.safetensors"]);
        Assert.All(result.Rows.Where(row => row.Method == "model A"), row => Assert.Equal(subject.Figures.Of([published], subject.Test), row.Test));
        Assert.Empty(result.Paper);
        string[] encoder = [.. published.Parameters.Keys.Where(subject.Scopes[1].Includes)], forward = [.. published.Parameters.Keys.Where(subject.Scopes[0].Includes)];
        Assert.All(encoder, name => Assert.Equal(2, published.Parameters[name].Shape.Rank));
        Assert.Equal((2, 6), (forward.Length, encoder.Length));
    }

    [Fact]
    public void An_ensemble_that_ranks_all_items_has_the_mean_probabilities()
    {
        using TemporaryFolder folder = new();
        Subject subject = Circles(new() { Table = 1, Dataset = "circles" }, folder["published.safetensors"]);
        Graph sure = subject.Build(5), unsure = subject.Build(6);
        foreach (float scale in new[] { 40f, 0.5f })
        {
            Graph[] networks = [Scaled(sure, scale), unsure];
            double[][] logits = [.. networks.Select(network => Amalgam.Training.Predictions.Of(network, subject.Test, 16).Span.ToArray().Select(x => (double)x).ToArray())];
            Assert.Equal(HitsOfMeans(logits, subject.Test, 10), subject.Figures.Of(networks, subject.Test)[3], 1e-12);
        }
    }

    [Fact]
    public void The_mean_probability_of_far_scores_is_finite()
    {
        Tensor mean = ClassEnsemble.Mean([new(new(1, 3), [900, 0, -900]), new(new(1, 3), [1, 1, 1])]);
        Assert.Equal([Math.Log((1 + 1 / 3.0) / 2), Math.Log(1 / 6.0), Math.Log(1 / 6.0)], mean.Span.ToArray().Select(x => (double)x), (x, y) => Math.Abs(x - y) < 1e-6);
    }

    /// <summary>The share of samples whose item is among the first, by the means of the softmax over all ids.</summary>
    private static double HitsOfMeans(double[][] logits, Dataset data, int cut)
    {
        int ids = logits[0].Length / data.Count, hits = 0;
        float[] seen = new float[data.Fields[data.IndexOf("seen")].Shape.Count];
        for (int i = 0; i < data.Count; i++)
        {
            double[] mean = new double[ids];
            foreach (double[] own in logits)
            {
                double whole = own.Skip(i * ids).Take(ids).Sum(Math.Exp);
                for (int k = 0; k < ids; k++) mean[k] += Math.Exp(own[i * ids + k]) / whole;
            }

            data.Read(data.IndexOf("seen"), i, default, seen);
            int right = data.Labels[i];
            if (Enumerable.Range(1, ids - 1).Count(k => k != right && !seen.Contains(k) && mean[k] >= mean[right]) < cut) hits++;
        }

        return hits / (double)data.Count;
    }

    /// <summary>A network whose scores are further apart: they are products with the items' vectors.</summary>
    private static Graph Scaled(Graph network, float by)
    {
        Graph copy = Rewrite.Apply(network, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy(), node.Trainable, node.Type) : null).Graph;
        foreach (ref float x in copy.Parameters["item_embeddings.weight"].Value!.Span) x *= by;
        return copy;
    }

    private static Subject Opinions(CkiOptions options)
    {
        Vocabulary vocabulary = Vocabulary.Train(Nouns, Vocabulary.Least + 8);
        ModelDescription model = ModelDescription.Parse($"bert:length={Length},positions={Length},vocabulary={vocabulary.Count},hidden=8,inner=16,depth=1,heads=2,dropout=0");
        return new TextSetting("opinions", Length, vocabulary.Count, 0, 0.01, 0.1, 8, 2, 1, 16).OfText(options, model, Part(0, 32), Part(32, 16), Part(48, 24));

        Dataset Part(int first, int count) => new TextSet(
            $"opinions from {first}", new([.. Enumerable.Range(first, count).Select(i => (System.Collections.Immutable.ImmutableArray<string>)[$"{(i % 2 == 0 ? "ba" : "go")} {Nouns[i % 5]}"])], [.. Enumerable.Range(first, count).Select(i => i % 2)]),
            vocabulary, Length, ["bad", "good"]);
    }

    private static Subject Circles(CkiOptions options, string path)
    {
        Interactions clicks = new([.. Enumerable.Range(0, 40).Select(user => Enumerable.Range(0, 8).Select(i => 1 + (3 * user + i) % Items).ToArray())], Items);
        ModelDescription model = ModelDescription.Parse($"iclrec:items={Items + 1},size=8,length={Length},depth=1,dropout=0");
        Architecture architecture = ZooModel.Find(model.Name).With(model.Options);
        GraphWeights.Save(architecture.Build(1, 77), path);
        return PublishedSetting.OfItems(options, path, model, Part(Split.Train), Part(Split.Validation), Part(Split.Test));

        Dataset Part(Split split) => new NextItems($"circles, {split}", clicks, split, Length);
    }
}
