using static Amalgam.Tests.Checkpoints.CheckpointFiles;
using static Amalgam.Tests.Checkpoints.PickleBytes;

namespace Amalgam.Tests.Checkpoints;

public class PyTorchObjectsTests
{
    /// <summary>Name, what is wrong, what the message says.</summary>
    public static TheoryData<string, byte[], string> Refusals => new()
    {
        { "list", new PickleBytes().Op(']').Stop(), "it holds a list of 0, expected a dict of tensors by name" },
        { "no tensors", Dict("epoch", p => p.Int(3)), "a dict without tensors by name: 'epoch' (3)" },
        { "numbered", new PickleBytes().Op('}').Int(7).Tensor("FloatStorage", "0", 4, 0, [4], [1]).Op('s').Stop(), "is named by 7, expected text" },
        { "twice", new PickleBytes().Op('}', '(').Text("w").Tensor("FloatStorage", "0", 4, 0, [4], [1]).Text("w").Tensor("FloatStorage", "0", 4, 0, [4], [1]).Op('u').Stop(), "it has two entries 'w'" },
        { "too far", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 1, [4], [1])), "reaches element 4 of a storage of 4" },
        { "stride overflow", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, [3, 3], [long.MaxValue, long.MaxValue])), "of a storage of 4" },
        { "offset", Dict("w", p => p.Tensor("FloatStorage", "0", 4, long.MaxValue, [1], [1])), "of a storage of 4" },
        { "negative offset", Dict("w", p => p.Tensor("FloatStorage", "0", 4, -1, [1], [1])), "the storage offset -1" },
        { "negative stride", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 3, [2], [-1])), "the stride of 'w' holds -1" },
        { "negative size", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, [-2], [1])), "the size of 'w' holds -2" },
        { "ranks", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, [2], [1, 1])), "1 sizes and 2 strides" },
        { "many axes", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, new long[65], new long[65])), "65 axes" },
        { "product", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, [1L << 40, 1L << 40], [0, 0])), "more elements than can be counted" },
        { "bomb", Dict("w", p => p.Tensor("FloatStorage", "0", 4, 0, [1L << 40], [0])), "repeats 4 stored elements" },
        { "huge storage", Dict("w", p => p.Tensor("FloatStorage", "0", long.MaxValue, 0, [4], [1])), "claims 9223372036854775807 elements" },
        { "negative storage", Dict("w", p => p.Tensor("FloatStorage", "0", -4, 0, [4], [1])), "claims -4 elements" },
        { "long key", Dict("w", p => p.Tensor("FloatStorage", new('k', 100), 4, 0, [4], [1])), "a key of 100 characters" },
        { "path as key", Dict("w", p => p.Tensor("FloatStorage", "../version", 4, 0, [4], [1])), "it has no entry 'm/data/../version'" },
        { "persistent", Dict("w", p => p.Global("torch._utils", "_rebuild_tensor_v2").Op('(').Text("x").Op('Q').Int(0).Ints(1).Ints(1).Op(0x89, '}', 't', 'R')), "that is not a storage" },
        { "arguments", Dict("w", p => p.Global("torch._utils", "_rebuild_tensor_v2").Op(')', 'R')), "with 0 arguments" },
        { "storage class", Dict("w", p => p.Tensor("Size", "0", 4, 0, [4], [1])), "of the class 'torch.Size'" },
        { "sparse", Dict("w", p => p.Global("torch._utils", "_rebuild_sparse_tensor").Op(')', 'R')), "'w' is a sparse tensor" },
        { "quantized", Dict("w", p => p.Global("torch._utils", "_rebuild_qtensor").Op(')', 'R')), "'w' is a quantized tensor" },
        { "untyped", Dict("w", p => p.Tensor("UntypedStorage", "0", 16, 0, [4], [1])), "do not say one type" },
        { "conjugated", Dict("w", p => p.Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("FloatStorage", "0", 4).Int(0).Ints(4).Ints(1).Op(0x89, '}', '}').Text("neg").Op(0x88, 's', 't', 'R')), "conjugated or negated" },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void Refuses(string what, byte[] pickle, string phrase)
    {
        using TemporaryFolder folder = new();
        AssertRefused(Zip(folder[$"{what}.pt"], pickle, ("data/0", Floats(4))), phrase);
    }

    [Fact]
    public void A_tensor_beside_the_state_dict_does_not_hide_it()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(')
            .Text("epoch").Int(3).Text("best_acc1").Tensor("FloatStorage", "0", 4, 0, [], [])
            .Text("state_dict").Op('}').Text("w").Tensor("FloatStorage", "0", 4, 0, [4], [1]).Op('s')
            .Op('u').Stop();
        using var read = Amalgam.Checkpoints.Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", Floats(4))));
        Assert.Equal(["w"], read.Tensors.Select(t => t.Name));
        Assert.Equal(["its tensors are those of its entry 'state_dict'", "left out, as it is no tensor of the model: 'epoch' (3), 'best_acc1' (a tensor)"], read.Notes);
    }

    [Theory]
    [InlineData(2, 4, 2_500_000, 0, "such tensors take 20000000 bytes, far more than the file has")]
    [InlineData(100, 1_000_000, 1_000_000, 1, "more than 16 times the file, as they lie over each other")]
    public void The_tensors_of_a_file_are_bounded_together(int tensors, int storage, long size, long stride, string phrase)
    {
        using TemporaryFolder folder = new();
        PickleBytes pickle = new PickleBytes().Op('}', '(');
        for (int i = 0; i < tensors; i++) pickle.Text($"w{i}").Tensor("FloatStorage", "0", storage, 0, [size], [stride]);
        AssertRefused(Zip(folder["x.pt"], pickle.Op('u').Stop(), ("data/0", new byte[4 * storage])), phrase);
    }

    [Fact]
    public void Takes_an_empty_state_dict()
    {
        using TemporaryFolder folder = new();
        using var read = Amalgam.Checkpoints.Checkpoint.Open(Zip(folder["x.pt"], new PickleBytes().Op('}').Stop()));
        Assert.Empty(read.Tensors);
    }

    [Fact]
    public void Does_not_walk_into_structures_that_hold_themselves()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', 'q', 0, '(')
            .Text("w").Tensor("FloatStorage", "0", 4, 0, [4], [1]).Text("self").Op('h', 0).Text("list").Op(']', 'q', 1, 'h', 1, 'a')
            .Op('u').Stop();
        using var read = Amalgam.Checkpoints.Checkpoint.Open(Zip(folder["x.pt"], pickle, ("data/0", Floats(4))));
        Assert.Single(read.Tensors);
        Assert.Contains("'self' (a dict of 3 entries, tensors among them), 'list' (a list of 1)", Assert.Single(read.Notes), StringComparison.Ordinal);
    }
}
